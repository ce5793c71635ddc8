namespace McpProxyFast.OAuth.Discovery;

/// <summary>Where metadata documents lie.</summary>
internal static class WellKnown
{
    /// <summary>RFC 9728 §3.1: inserted before the path of the resource, then at the root.</summary>
    public static IEnumerable<string> ForResource(Uri resource) =>
        new[] { Insert(resource, "oauth-protected-resource"), $"{Origin(resource)}/.well-known/oauth-protected-resource" }.Distinct();

    /// <summary>MCP 2025-11-25, authorization: RFC 8414 insertion, OpenID insertion, OpenID appending.</summary>
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
