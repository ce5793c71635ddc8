namespace McpProxyFast;

/// <summary>
/// Issuer names with a placeholder in place of a tenant. No token has such a name as its <c>iss</c>, so a policy with such a name would refuse every token.
/// </summary>
/// <param name="Hosts">The host names of one provider.</param>
/// <param name="Names">The provider's placeholders: values of the first path segment that stand for many tenants.</param>
internal sealed record ManyTenants(string[] Hosts, string[] Names)
{
    /// <summary>The providers with such names, each with a link to its documentation.</summary>
    private static readonly ManyTenants[] All =
    [
        // Microsoft. The metadata at these names has the issuer https://login.microsoftonline.com/{tenantid}/v2.0, literally with the braces.
        // https://learn.microsoft.com/en-us/entra/identity-platform/v2-protocols-oidc
        new(
            ["login.microsoftonline.com", "login.microsoftonline.us", "login.partner.microsoftonline.cn", "sts.windows.net"],
            ["common", "organizations", "consumers"]),
    ];

    /// <summary>Whether an issuer name contains a placeholder: braces, or one of the placeholders of a known provider.</summary>
    public static bool Has(string issuer) =>
        issuer.AsSpan().ContainsAny('{', '}')
        || issuer.Contains("%7B", StringComparison.OrdinalIgnoreCase)
        || (Uri.TryCreate(issuer, UriKind.Absolute, out Uri? url) && Array.Exists(All, provider => provider.IsAt(url)));

    private bool IsAt(Uri url) =>
        Hosts.Contains(url.Host) && url.Segments is [_, var tenant, ..] && Names.Contains(tenant.TrimEnd('/'), StringComparer.OrdinalIgnoreCase);
}
