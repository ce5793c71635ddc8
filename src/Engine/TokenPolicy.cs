namespace McpProxyFast;

/// <summary>Which access tokens callers must send, and what the proxy tells clients about them in challenges and metadata.</summary>
/// <remarks>
/// There are three kinds of policy: for signed tokens (<see cref="JwtPolicy"/>), for tokens that are checked at an endpoint
/// (<see cref="IntrospectionPolicy"/>), and for tokens that the host program checks itself (<see cref="Custom"/>).
/// </remarks>
public abstract record TokenPolicy
{
    private protected TokenPolicy()
    {
    }

    /// <summary>A description for logs, without secrets. It is internal, so that other assemblies cannot derive from this record.</summary>
    internal abstract string Description { get; }

    /// <summary>The <c>scopes_supported</c> in the metadata of the protected resource (RFC 9728 §2).</summary>
    /// <value>Default <c>openid</c>. <see cref="RequiredScopes"/> are added.</value>
    /// <exception cref="ArgumentException">An entry is not a scope (RFC 6749 §3.3).</exception>
    public IReadOnlyList<string> AdvertisedScopes { get; init => field = PolicyValue.Scopes(value, nameof(AdvertisedScopes)); } = ["openid"];

    /// <summary>
    /// The scopes that a token must have. If it lacks one of them, the response is 403 <c>insufficient_scope</c>. Challenges name these scopes.
    /// </summary>
    /// <value>Default none. With <see cref="Custom"/> the validator must check the scopes itself.</value>
    /// <exception cref="ArgumentException">An entry is not a scope (RFC 6749 §3.3).</exception>
    public IReadOnlyList<string> RequiredScopes { get; init => field = PolicyValue.Scopes(value, nameof(RequiredScopes)); } = [];

    /// <summary>The resource identifier that is published to clients (RFC 9728 §1.2), exactly as written.</summary>
    /// <value>
    /// Null (the default): the address that was given to <see cref="McpProxy.Publish"/>. Without such an address, the scheme, host and path of each request.
    /// </value>
    /// <exception cref="ArgumentException">The value is not an http or https URL, or has a fragment.</exception>
    public string? ResourceUrl
    {
        get;
        init => field = PolicyValue.Checked(
            value, value is null || IsResource(value), nameof(ResourceUrl), "the resource URL must be an http or https URL without a fragment.");
    }

    /// <summary>Whether the proxy forwards the caller's token to the upstream.</summary>
    /// <value>Default false, since MCP forbids this ("token passthrough").</value>
    public bool PassAuthorization { get; init; }

    /// <summary>Accepts JWT access tokens of one issuer, for one audience.</summary>
    /// <param name="issuer">The authorization server, as <see cref="JwtPolicy.Issuer"/>.</param>
    /// <param name="audience">The value that <c>aud</c> must contain.</param>
    /// <returns>A policy whose settings can be changed with <c>with</c>.</returns>
    /// <exception cref="ArgumentException">The issuer is not valid (see <see cref="JwtPolicy.Issuer"/>), or the audience is empty.</exception>
    public static JwtPolicy Oidc(string issuer, string audience) => new(issuer) { Audiences = [audience] };

    /// <summary>Accepts opaque access tokens; each is checked at an introspection endpoint (RFC 7662).</summary>
    /// <param name="endpoint">The endpoint.</param>
    /// <param name="clientId">The proxy's client id there.</param>
    /// <param name="clientSecret">The client's secret.</param>
    /// <returns>A policy whose settings can be changed with <c>with</c>.</returns>
    /// <exception cref="ArgumentException">The endpoint is neither https nor http on loopback, or the client id or the secret is empty.</exception>
    public static IntrospectionPolicy Introspection(Uri endpoint, string clientId, string clientSecret) =>
        new(TokenIntrospection.At(endpoint, clientId, clientSecret));

    /// <summary>Accepts the tokens that a validator of the host program accepts.</summary>
    /// <param name="validator">Checks each token.</param>
    /// <returns>A policy whose settings can be changed with <c>with</c>.</returns>
    public static TokenPolicy Custom(ITokenValidator validator) => new HostPolicy(validator);

    /// <summary>Checks whether the settings fit together. A <see cref="McpProxy"/> does this too when it is created.</summary>
    /// <exception cref="ArgumentException">Two settings do not fit together; <see cref="ArgumentException.ParamName"/> names one of them.</exception>
    public virtual void Validate()
    {
    }

    /// <summary>Describes the policy in one line, without secrets.</summary>
    /// <returns>The line.</returns>
    public sealed override string ToString() =>
        $"{Description}, RequiredScopes = [{string.Join(' ', RequiredScopes)}], ResourceUrl = {ResourceUrl}, PassAuthorization = {PassAuthorization}";

    private static bool IsResource(string text) =>
        UrlRule.Parse(text) is { Scheme: "https" or "http", Fragment.Length: 0, UserInfo.Length: 0 }
        && PolicyValue.IsWord(text) && !text.AsSpan().ContainsAny('"', '\\');

    /// <summary>The policy that is created by <see cref="Custom"/>.</summary>
    internal sealed record HostPolicy(ITokenValidator Validator) : TokenPolicy
    {
        internal override string Description => $"Custom {Validator.GetType().Name}";
    }
}
