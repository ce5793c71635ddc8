using McpProxyFast.OAuth.Net;

namespace McpProxyFast.OAuth.Discovery;

/// <summary>Checks that endpoints in metadata are absolute URLs (RFC 8414 §2).</summary>
/// <remarks>
/// A relative endpoint is not resolved. The RFC does not say against which URL to resolve it, so different clients would send requests to different URLs, and
/// the errors of a wrong URL are hard to understand.
/// </remarks>
internal static class ServerEndpoint
{
    /// <summary>Returns a sentence that says what is wrong with an endpoint; null if the endpoint is an absolute URL, or is missing.</summary>
    /// <param name="server">The server whose metadata has the endpoint.</param>
    /// <param name="member">The member of the metadata.</param>
    /// <param name="value">The value of the member.</param>
    public static string? FaultOf(ServerMetadata server, string member, string? value) =>
        FaultOf($"The metadata of {server.Issuer}", server.Issuer, member, value);

    /// <summary>Does the same as <see cref="FaultOf(ServerMetadata, string, string?)"/>.</summary>
    /// <param name="place">The document, as a person would name it.</param>
    /// <param name="issuer">The issuer whose document it is.</param>
    /// <param name="member">The member of the document.</param>
    /// <param name="value">The value of the member.</param>
    public static string? FaultOf(string place, string? issuer, string member, string? value) =>
        value is null || UrlRule.Parse(value) is not null ? null
        : $"{place} names a {member} that is not an absolute URL: {Printable.Of(value)}. It must begin with a scheme and a host{Example(issuer, value)}.";

    /// <exception cref="OAuthException">The endpoint is given, but is not an absolute URL.</exception>
    /// <param name="server">The server whose metadata has the endpoint.</param>
    /// <param name="member">The member of the metadata.</param>
    /// <param name="value">The value of the member.</param>
    /// <param name="next">A sentence that says what a person can do.</param>
    public static void Require(ServerMetadata server, string member, string? value, string next)
    {
        if (FaultOf(server, member, value) is { } fault)
        {
            throw OAuthException.Refused("endpoint-not-absolute", $"{fault} {next}");
        }
    }

    private static string Example(string? issuer, string value) =>
        Uri.TryCreate(UrlRule.Parse(issuer), value, out Uri? whole) && UrlRule.IsSecure(whole) ? $", such as {Printable.Url(whole.AbsoluteUri)}" : "";
}
