namespace McpProxyFast;

/// <summary>Issuer names that stand for many tenants. No token has such a name as its <c>iss</c>, so a policy with one would refuse every token.</summary>
/// <param name="Hosts">The host names of one provider.</param>
/// <param name="Names">The placeholders for a tenant in the provider's issuer names: the first segment of the path.</param>
internal sealed record ManyTenants(string[] Hosts, string[] Names)
{
    /// <summary>The known providers, each with the page of its documentation.</summary>
    private static readonly ManyTenants[] All =
    [
        // Microsoft: its metadata for these names has the issuer https://login.microsoftonline.com/{tenantid}/v2.0.
        // https://learn.microsoft.com/en-us/entra/identity-platform/v2-protocols-oidc
        new(
            ["login.microsoftonline.com", "login.microsoftonline.us", "login.partner.microsoftonline.cn", "sts.windows.net"],
            ["common", "organizations", "consumers"]),
    ];

    /// <summary>Whether an issuer name contains a placeholder, or is such a name of a known provider.</summary>
    public static bool Has(string issuer) =>
        issuer.AsSpan().ContainsAny('{', '}')
        || issuer.Contains("%7B", StringComparison.OrdinalIgnoreCase)
        || (Uri.TryCreate(issuer, UriKind.Absolute, out Uri? url) && Array.Exists(All, provider => provider.IsAt(url)));

    private bool IsAt(Uri url) =>
        Hosts.Contains(url.Host) && url.Segments is [_, var tenant, ..] && Names.Contains(tenant.TrimEnd('/'), StringComparer.OrdinalIgnoreCase);
}
