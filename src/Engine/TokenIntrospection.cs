namespace McpProxyFast;

/// <summary>Who is asked about an access token, and in which form: that of RFC 7662, or one that a provider has of its own.</summary>
public abstract record TokenIntrospection
{
    private TokenIntrospection(Uri endpoint) =>
        Endpoint = PolicyValue.Checked(endpoint, UrlRule.IsSecure(endpoint), nameof(endpoint), "introspection goes over https (http on loopback only).");

    /// <summary>Where it is asked.</summary>
    public Uri Endpoint { get; }

    /// <summary>The name of the form. Being internal, it closes the list of kinds.</summary>
    internal abstract string Form { get; }

    /// <summary>An introspection endpoint (RFC 7662) that asks for no client.</summary>
    /// <param name="endpoint">The endpoint.</param>
    /// <returns>Whom to ask.</returns>
    /// <exception cref="ArgumentException">The endpoint is neither https nor http on loopback.</exception>
    public static TokenIntrospection At(Uri endpoint) => new Standard(endpoint, clientId: null, clientSecret: null);

    /// <summary>An introspection endpoint (RFC 7662).</summary>
    /// <param name="endpoint">The endpoint.</param>
    /// <param name="clientId">The proxy's client id there.</param>
    /// <param name="clientSecret">Its secret; null for a public client.</param>
    /// <returns>Whom to ask.</returns>
    /// <exception cref="ArgumentException">The endpoint is neither https nor http on loopback, or the client id or the secret is empty.</exception>
    public static TokenIntrospection At(Uri endpoint, string clientId, string? clientSecret = null) => new Standard(endpoint, clientId, clientSecret);

    /// <summary>Google's <c>tokeninfo</c>. It knows every token of Google's, so the policy needs an audience.</summary>
    /// <param name="endpoint">The endpoint: <c>https://oauth2.googleapis.com/tokeninfo</c>.</param>
    /// <returns>Whom to ask.</returns>
    /// <exception cref="ArgumentException">The endpoint is neither https nor http on loopback.</exception>
    public static TokenIntrospection Google(Uri endpoint) => new GoogleTokenInfo(endpoint);

    /// <summary>GitHub's check of the tokens of an OAuth app.</summary>
    /// <param name="endpoint">The endpoint: <c>https://api.github.com/applications/{client_id}/token</c>.</param>
    /// <param name="clientId">The app's client id.</param>
    /// <param name="clientSecret">The app's secret.</param>
    /// <returns>Whom to ask.</returns>
    /// <exception cref="ArgumentException">The endpoint is neither https nor http on loopback, or the client id or the secret is empty.</exception>
    public static TokenIntrospection GitHub(Uri endpoint, string clientId, string clientSecret) => new GitHubTokenCheck(endpoint, clientId, clientSecret);

    /// <summary>Says who is asked, without a secret.</summary>
    /// <returns>A few words.</returns>
    public sealed override string ToString() => $"{Form} at {Endpoint}";

    /// <summary>The introspection that is made by <see cref="At(Uri, string, string)"/>.</summary>
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

    /// <summary>The introspection that is made by <see cref="Google"/>.</summary>
    internal sealed record GoogleTokenInfo : TokenIntrospection
    {
        internal GoogleTokenInfo(Uri endpoint)
            : base(endpoint)
        {
        }

        internal override string Form => "Google's tokeninfo";
    }

    /// <summary>The introspection that is made by <see cref="GitHub"/>.</summary>
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
