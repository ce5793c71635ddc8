namespace McpProxyFast;

/// <summary>The endpoint at which access tokens are checked, and the form of the request: the standard one of RFC 7662, or that of Google or GitHub.</summary>
public abstract record TokenIntrospection
{
    private TokenIntrospection(Uri endpoint) =>
        Endpoint = PolicyValue.Checked(endpoint, UrlRule.IsSecure(endpoint), nameof(endpoint),
            "the introspection endpoint must be an https URL (http only on loopback).");

    /// <summary>The endpoint at which access tokens are checked.</summary>
    public Uri Endpoint { get; }

    /// <summary>The name of the request's form, for logs. It is internal, so that other assemblies cannot derive from this record.</summary>
    internal abstract string Form { get; }

    /// <summary>An introspection endpoint (RFC 7662) at which the proxy does not authenticate.</summary>
    /// <param name="endpoint">The endpoint.</param>
    /// <returns>The introspection.</returns>
    /// <exception cref="ArgumentException">The endpoint is neither https nor http on loopback.</exception>
    public static TokenIntrospection At(Uri endpoint) => new Standard(endpoint, clientId: null, clientSecret: null);

    /// <summary>An introspection endpoint (RFC 7662) at which the proxy authenticates as a client.</summary>
    /// <param name="endpoint">The endpoint.</param>
    /// <param name="clientId">The proxy's client id there.</param>
    /// <param name="clientSecret">The client's secret; null for a public client, which sends only its id.</param>
    /// <returns>The introspection.</returns>
    /// <exception cref="ArgumentException">The endpoint is neither https nor http on loopback, or the client id or the secret is empty.</exception>
    public static TokenIntrospection At(Uri endpoint, string clientId, string? clientSecret = null) => new Standard(endpoint, clientId, clientSecret);

    /// <summary>Google's <c>tokeninfo</c>. It confirms the tokens of all clients of Google, so the policy must have an audience or allowed clients.</summary>
    /// <param name="endpoint">The endpoint: <c>https://oauth2.googleapis.com/tokeninfo</c>.</param>
    /// <returns>The introspection.</returns>
    /// <exception cref="ArgumentException">The endpoint is neither https nor http on loopback.</exception>
    public static TokenIntrospection Google(Uri endpoint) => new GoogleTokenInfo(endpoint);

    /// <summary>GitHub's endpoint that checks tokens of an OAuth app.</summary>
    /// <param name="endpoint">The endpoint: <c>https://api.github.com/applications/{client_id}/token</c>.</param>
    /// <param name="clientId">The app's client id.</param>
    /// <param name="clientSecret">The app's secret.</param>
    /// <returns>The introspection.</returns>
    /// <exception cref="ArgumentException">The endpoint is neither https nor http on loopback, or the client id or the secret is empty.</exception>
    public static TokenIntrospection GitHub(Uri endpoint, string clientId, string clientSecret) => new GitHubTokenCheck(endpoint, clientId, clientSecret);

    /// <summary>Returns the form and the endpoint, without secrets.</summary>
    /// <returns>A short text.</returns>
    public sealed override string ToString() => $"{Form} at {Endpoint}";

    /// <summary>The introspection that is created by <see cref="At(Uri, string, string)"/>.</summary>
    internal sealed record Standard : TokenIntrospection
    {
        internal Standard(Uri endpoint, string? clientId, string? clientSecret)
            : base(endpoint)
        {
            ClientId = PolicyValue.NotEmpty(clientId, nameof(clientId));
            ClientSecret = PolicyValue.NotEmpty(clientSecret, nameof(clientSecret));
        }

        internal string? ClientId { get; }

        internal string? ClientSecret { get; }

        internal override string Form => "RFC 7662";
    }

    /// <summary>The introspection that is created by <see cref="Google"/>.</summary>
    internal sealed record GoogleTokenInfo : TokenIntrospection
    {
        internal GoogleTokenInfo(Uri endpoint)
            : base(endpoint)
        {
        }

        internal override string Form => "Google's tokeninfo";
    }

    /// <summary>The introspection that is created by <see cref="GitHub"/>.</summary>
    internal sealed record GitHubTokenCheck : TokenIntrospection
    {
        internal GitHubTokenCheck(Uri endpoint, string clientId, string clientSecret)
            : base(endpoint)
        {
            ClientId = PolicyValue.NotEmpty(clientId, nameof(clientId));
            ClientSecret = PolicyValue.NotEmpty(clientSecret, nameof(clientSecret));
        }

        internal string ClientId { get; }

        internal string ClientSecret { get; }

        internal override string Form => "GitHub's token check";
    }
}
