using McpProxyFast.Cli.Options;

namespace McpProxyFast.Cli.Mapping;

/// <summary>
/// The form of a provider's token introspection: that of RFC 7662, or that of a provider that does not follow it. Such a provider is recognized by the URL of
/// the endpoint, which is the same for all of its customers.
/// </summary>
/// <param name="Host">The host of the endpoint's URL; empty for RFC 7662.</param>
/// <param name="Path">The start of the path of the endpoint's URL; empty for RFC 7662.</param>
/// <param name="ClientRule">The message for a missing client id or secret if the endpoint needs them; otherwise null.</param>
/// <param name="At">Makes the engine's object for this form of introspection, from the URL and the options.</param>
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

    /// <summary>Returns the form for a URL. It is that of RFC 7662 if the URL belongs to none of the other providers.</summary>
    public static IntrospectionDialect Of(Uri endpoint) =>
        Array.Find(All, one => endpoint.Host == one.Host && endpoint.AbsolutePath.StartsWith(one.Path, StringComparison.Ordinal)) ?? Standard;
}
