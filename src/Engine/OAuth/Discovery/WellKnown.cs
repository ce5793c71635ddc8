namespace McpProxyFast.OAuth.Discovery;

/// <summary>The URLs of metadata documents.</summary>
internal static class WellKnown
{
    /// <summary>
    /// Returns the URLs for a protected resource's metadata (RFC 9728 §3.1): first with the well-known path inserted before the resource's path, then the one
    /// at the root of the origin.
    /// </summary>
    public static IEnumerable<string> ForResource(Uri resource) =>
        new[] { Insert(resource, "oauth-protected-resource"), $"{Origin(resource)}/.well-known/oauth-protected-resource" }.Distinct();

    /// <summary>
    /// Returns the URLs for an issuer's metadata, in the order of MCP 2025-11-25: the RFC 8414 path inserted before the issuer's path, the OpenID Connect path
    /// inserted before it, and the OpenID Connect path appended to it.
    /// </summary>
    public static IEnumerable<string> ForIssuer(Uri issuer) =>
        new[]
        {
            Insert(issuer, "oauth-authorization-server"),
            Insert(issuer, "openid-configuration"),
            $"{Origin(issuer)}{Path(issuer)}/.well-known/openid-configuration",
        }.Distinct();

    public static string Origin(Uri url) => url.GetLeftPart(UriPartial.Authority);

    private static string Insert(Uri url, string name) => $"{Origin(url)}/.well-known/{name}{Path(url)}";

    private static string Path(Uri url) => url.AbsolutePath.TrimEnd('/');
}
