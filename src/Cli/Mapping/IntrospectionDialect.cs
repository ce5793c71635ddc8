using McpProxyFast.Cli.Options;

namespace McpProxyFast.Cli.Mapping;

/// <summary>A provider that checks its tokens in a form of its own. It is known by the address of its check, which is the same for all its customers.</summary>
/// <param name="Host">The host of the address.</param>
/// <param name="Path">How its path begins.</param>
/// <param name="ClientRule">Why the check needs the app's client id and secret; null if it does not.</param>
/// <param name="At">The engine's kind of introspection, at the address and with the client that the options name.</param>
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

    /// <summary>The dialect of an address; that of RFC 7662 if no provider is known there.</summary>
    public static IntrospectionDialect Of(Uri endpoint) =>
        Array.Find(All, one => endpoint.Host == one.Host && endpoint.AbsolutePath.StartsWith(one.Path, StringComparison.Ordinal)) ?? Standard;
}
