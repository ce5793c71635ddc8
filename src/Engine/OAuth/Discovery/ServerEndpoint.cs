using McpProxyFast.OAuth.Net;

namespace McpProxyFast.OAuth.Discovery;

/// <summary>Checks the endpoints that metadata names: they are whole URLs (RFC 8414 §2).</summary>
/// <remarks>
/// A relative one is not resolved: neither RFC says against what, so clients would ask different places, and a server that is asked at the wrong place fails
/// in ways that say nothing.
/// </remarks>
internal static class ServerEndpoint
{
    /// <summary>What is wrong with an endpoint; null if it is a whole URL, or not named.</summary>
    /// <param name="server">Whose metadata it is.</param>
    /// <param name="member">The member of the metadata.</param>
    /// <param name="value">What the member says.</param>
    public static string? FaultOf(ServerMetadata server, string member, string? value) =>
        FaultOf($"The metadata of {server.Issuer}", server.Issuer, member, value);

    /// <summary>As <see cref="FaultOf(ServerMetadata, string, string?)"/>.</summary>
    /// <param name="place">The document that names it.</param>
    /// <param name="issuer">Whose document that is.</param>
    /// <param name="member">The member of the document.</param>
    /// <param name="value">What the member says.</param>
    public static string? FaultOf(string place, string? issuer, string member, string? value) =>
        value is null || UrlRule.Parse(value) is not null ? null
        : $"{place} names a {member} that is not a whole URL: {Printable.Of(value)}. It has to have a scheme and a host{Example(issuer, value)}.";

    /// <exception cref="OAuthException">The endpoint is no whole URL.</exception>
    /// <param name="server">Whose metadata it is.</param>
    /// <param name="member">The member of the metadata.</param>
    /// <param name="value">What the member says.</param>
    /// <param name="next">What a person can do.</param>
    public static void Require(ServerMetadata server, string member, string? value, string next)
    {
        if (FaultOf(server, member, value) is { } fault)
        {
            throw OAuthException.Refused("endpoint-not-whole", $"{fault} {next}");
        }
    }

    private static string Example(string? issuer, string value) =>
        Uri.TryCreate(UrlRule.Parse(issuer), value, out Uri? whole) && UrlRule.IsSecure(whole) ? $", as {Printable.Url(whole.AbsoluteUri)} has" : "";
}
