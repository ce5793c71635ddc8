namespace McpProxyFast;

/// <summary>Whose access tokens let a caller in, and what a caller without one is told.</summary>
/// <remarks>
/// The kinds are signed tokens (<see cref="JwtPolicy"/>), tokens that an endpoint is asked about (<see cref="IntrospectionPolicy"/>) and a decision of the
/// host's own (<see cref="Custom"/>). There are no others.
/// </remarks>
public abstract record TokenPolicy
{
    private protected TokenPolicy()
    {
    }

    /// <summary>What the policy is about, without a secret. Being internal, it closes the list of kinds.</summary>
    internal abstract string Description { get; }

    /// <summary><c>scopes_supported</c> of the protected resource's metadata (RFC 9728 §2).</summary>
    /// <value>Default <c>openid</c>. <see cref="RequiredScopes"/> are added.</value>
    /// <exception cref="ArgumentException">One is not a scope (RFC 6749 §3.3).</exception>
    public IReadOnlyList<string> AdvertisedScopes { get; init => field = PolicyValue.Scopes(value, nameof(AdvertisedScopes)); } = ["openid"];

    /// <summary>Scopes that a token must have, all of them; else 403 <c>insufficient_scope</c>. Challenges name them.</summary>
    /// <value>Default none. A host's own validator checks them itself.</value>
    /// <exception cref="ArgumentException">One is not a scope (RFC 6749 §3.3).</exception>
    public IReadOnlyList<string> RequiredScopes { get; init => field = PolicyValue.Scopes(value, nameof(RequiredScopes)); } = [];

    /// <summary>The resource identifier that clients know (RFC 9728 §1.2), kept as written.</summary>
    /// <value>Null (the default): each request's own scheme, host and path.</value>
    /// <exception cref="ArgumentException">It is not an http or https URL, or has a fragment.</exception>
    public string? ResourceUrl
    {
        get;
        init => field = PolicyValue.Checked(
            value, value is null || IsResource(value), nameof(ResourceUrl), "a resource is an http or https URL without fragment.");
    }

    /// <summary>Sends the caller's token on to the upstream.</summary>
    /// <value>Default false, as MCP demands.</value>
    public bool PassAuthorization { get; init; }

    /// <summary>JWT access tokens of one issuer, for one audience.</summary>
    /// <param name="issuer">The authorization server, as <see cref="JwtPolicy.Issuer"/>.</param>
    /// <param name="audience">The accepted <c>aud</c>.</param>
    /// <returns>A policy to refine with <c>with</c>.</returns>
    /// <exception cref="ArgumentException">The issuer is not an https URL, or the audience is empty.</exception>
    public static JwtPolicy Oidc(string issuer, string audience) => new(issuer) { Audiences = [audience] };

    /// <summary>Opaque access tokens, each asked about at an introspection endpoint (RFC 7662).</summary>
    /// <param name="endpoint">The endpoint.</param>
    /// <param name="clientId">The proxy's client id there.</param>
    /// <param name="clientSecret">Its secret.</param>
    /// <returns>A policy to refine with <c>with</c>.</returns>
    /// <exception cref="ArgumentException">The endpoint is neither https nor http on loopback.</exception>
    public static IntrospectionPolicy Introspection(Uri endpoint, string clientId, string clientSecret) =>
        new(TokenIntrospection.At(endpoint, clientId, clientSecret));

    /// <summary>A decision of the host's own.</summary>
    /// <param name="validator">Decides about each token.</param>
    /// <returns>A policy to refine with <c>with</c>.</returns>
    public static TokenPolicy Custom(ITokenValidator validator) => new HostPolicy(validator);

    /// <summary>Checks what only the whole policy shows. A <see cref="McpProxy"/> does so too when it is made.</summary>
    /// <exception cref="ArgumentException">Two settings do not fit together; <see cref="ArgumentException.ParamName"/> is the property at fault.</exception>
    public virtual void Validate()
    {
    }

    /// <summary>The policy in one line, without its secret.</summary>
    /// <returns>The line.</returns>
    public sealed override string ToString() =>
        $"{Description}, RequiredScopes = [{string.Join(' ', RequiredScopes)}], ResourceUrl = {ResourceUrl}, PassAuthorization = {PassAuthorization}";

    private static bool IsResource(string text) =>
        UrlRule.Parse(text) is { Scheme: "https" or "http", Fragment.Length: 0, UserInfo.Length: 0 }
        && PolicyValue.IsWord(text) && !text.AsSpan().ContainsAny('"', '\\');

    /// <summary>The policy that is made by <see cref="Custom"/>.</summary>
    internal sealed record HostPolicy(ITokenValidator Validator) : TokenPolicy
    {
        internal override string Description => $"Custom {Validator.GetType().Name}";
    }
}
