namespace McpProxyFast;

/// <summary>A policy for a token that the proxy obtains from an authorization server, keeps and renews.</summary>
/// <remarks>
/// By default, the target's metadata names the authorization server (RFC 9728), whose metadata has the endpoints (RFC 8414), the proxy registers itself as a
/// client (RFC 7591), and a person signs in with a browser on this machine.
/// </remarks>
public sealed record OAuthPolicy : OutgoingPolicy
{
    private static readonly TimeSpan MinSignInTimeout = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan MaxSignInTimeout = TimeSpan.FromHours(1);

    /// <summary>
    /// A value for <see cref="Resource"/>: no resource indicator is sent, even if the resource publishes one. Microsoft Entra refuses a resource indicator
    /// together with scopes.
    /// </summary>
    public const string NoResource = "none";

    /// <summary>The authorization server that issues the tokens.</summary>
    /// <value>Default <see cref="OAuthServer.Discovered"/>: the target's metadata names the server.</value>
    public OAuthServer Server { get; init; } = OAuthServer.Discovered;

    /// <summary>The grant, and the client that uses it.</summary>
    /// <value>Default <see cref="OAuthGrant.AuthorizationCode"/>.</value>
    public OAuthGrant Grant { get; init; } = new OAuthGrant.AuthorizationCode();

    /// <summary>The scopes to ask for.</summary>
    /// <value>
    /// Empty (the default): the scopes that the target's challenge names. If it names none, those in <c>scopes_supported</c> of the resource's metadata. If
    /// that is missing too, no scopes.
    /// </value>
    /// <exception cref="ArgumentException">An entry is not a scope (RFC 6749 §3.3).</exception>
    public IReadOnlyList<string> Scopes { get; init => field = PolicyValue.Scopes(value, nameof(Scopes)); } = [];

    /// <summary>The resource indicator (RFC 8707).</summary>
    /// <value>
    /// Null (the default): the proxy sends the <c>resource</c> of the resource's metadata, unchanged, or nothing if there is no metadata.
    /// <see cref="NoResource"/>: the proxy sends nothing.
    /// </value>
    /// <exception cref="ArgumentException">The value is neither an absolute URI without a fragment nor <see cref="NoResource"/>.</exception>
    public string? Resource
    {
        get;
        init => field = PolicyValue.Checked(
            value,
            value is null or NoResource || UrlRule.Parse(value) is { Fragment.Length: 0 },
            nameof(Resource),
            "The resource must be an absolute URI without a fragment (RFC 8707 §2), or none.");
    }

    /// <summary>How the client sends its secret to the token endpoint. Any value but the default overrides the server's metadata.</summary>
    /// <value>Default <see cref="TokenEndpointAuthMethod.Automatic"/>.</value>
    /// <exception cref="ArgumentException">The value is not one of the enumeration.</exception>
    public TokenEndpointAuthMethod TokenEndpointAuthMethod
    {
        get;
        init => field = PolicyValue.Checked(value, Enum.IsDefined(value), nameof(TokenEndpointAuthMethod), "It must be a value of the enumeration.");
    }

    /// <summary>Whether the proxy binds tokens to a key of its own, and proves with each request that it has the key (DPoP, RFC 9449).</summary>
    /// <value>Default false.</value>
    public bool DPoP { get; init; }

    /// <summary>The encrypted file in which tokens and client registrations are kept.</summary>
    /// <value>Null (the default): they are kept in memory only.</value>
    public CredentialStoreFile? Store { get; init; }

    /// <summary>How long a whole sign-in may take, including discovery and the wait for a person. Then it fails.</summary>
    /// <value>1 s to 1 h. Null (the default): 30 s, or 5 min if a person has to sign in.</value>
    /// <exception cref="ArgumentException">The value is outside the range.</exception>
    public TimeSpan? SignInTimeout
    {
        get;
        init => field = PolicyValue.Checked(
            value,
            value is null || (value >= MinSignInTimeout && value <= MaxSignInTimeout),
            nameof(SignInTimeout),
            "The sign-in timeout must lie between 1s and 1h.");
    }

    /// <summary>The proxy's OAuth client at the authorization server; null if the requests name no client.</summary>
    internal OAuthClient? Client => Grant.AskingClient;

    /// <inheritdoc/>
    internal override string Description => $"OAuth, {Grant}";

    /// <inheritdoc/>
    public override void Validate() => OutgoingPolicyRules.Check(this);
}
