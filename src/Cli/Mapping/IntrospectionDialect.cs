using McpProxyFast.Cli.Options;

namespace McpProxyFast.Cli.Mapping;

/// <summary>
/// A provider whose token check does not follow RFC 7662. It is recognized by the URL of the check, which is the same for all of its customers.
/// </summary>
/// <param name="Host">The host of that URL.</param>
/// <param name="Path">The start of that URL's path.</param>
/// <param name="ClientRule">Why the check needs the app's client id and secret; null if it does not.</param>
/// <param name="At">Makes the engine's object for this kind of check, from the URL and the options.</param>
internal sealed record IntrospectionDialect(string Host, string Path, string? ClientRule, Func<Uri, IncomingOptions, TokenIntrospection> At)
{
    private static readonly IntrospectionDialect[] All =
    [
        // https://developers.google.com/identity/sign-in/web/backend-auth#calling-the-tokeninfo-endpoint
        new("oauth2.googleapis.com", "/tokeninfo", ClientRule: null, (endpoint, _) => TokenIntrospection.Google(endpoint)),

        // https://docs.github.com/en/rest/apps/oauth-applications#check-a-token
        new("api.github.com", "/applications/", "GitHub's token check needs the app's client id and secret",
            (endpoint, options) => TokenIntrospection.GitHub(endpoint, options.OidcClientId!, options.OidcClientSecret!)),
    ];

    private static readonly IntrospectionDialect Standard = new("", "", ClientRule: null, (endpoint, options) => options.OidcClientId is { } id
        ? TokenIntrospection.At(endpoint, id, options.OidcClientSecret)
        : TokenIntrospection.At(endpoint));

    /// <summary>Returns the dialect for a URL; that of RFC 7662 if the URL belongs to none of these providers.</summary>
    public static IntrospectionDialect Of(Uri endpoint) =>
        Array.Find(All, one => endpoint.Host == one.Host && endpoint.AbsolutePath.StartsWith(one.Path, StringComparison.Ordinal)) ?? Standard;
}
