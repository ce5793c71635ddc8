namespace McpProxyFast;

/// <summary>Which access tokens callers must send, and what a caller without one gets as an answer.</summary>
/// <remarks>
/// There are three kinds: signed tokens (<see cref="JwtPolicy"/>), tokens that are checked at an endpoint (<see cref="IntrospectionPolicy"/>), and a validator
/// of the host program (<see cref="Custom"/>).
/// </remarks>
public abstract record TokenPolicy
{
    private protected TokenPolicy()
    {
    }

    /// <summary>A description for logs, without secrets. Since it is internal, nobody else can add a kind.</summary>
    internal abstract string Description { get; }

    /// <summary>The <c>scopes_supported</c> in the metadata of the protected resource (RFC 9728 §2).</summary>
    /// <value>Default <c>openid</c>. <see cref="RequiredScopes"/> are added.</value>
    /// <exception cref="ArgumentException">An entry is not a scope (RFC 6749 §3.3).</exception>
    public IReadOnlyList<string> AdvertisedScopes { get; init => field = PolicyValue.Scopes(value, nameof(AdvertisedScopes)); } = ["openid"];

    /// <summary>The scopes that a token must have, all of them. Otherwise the answer is 403 <c>insufficient_scope</c>. Challenges name these scopes.</summary>
    /// <value>Default none. A validator of the host program must check them itself.</value>
    /// <exception cref="ArgumentException">An entry is not a scope (RFC 6749 §3.3).</exception>
    public IReadOnlyList<string> RequiredScopes { get; init => field = PolicyValue.Scopes(value, nameof(RequiredScopes)); } = [];

    /// <summary>The resource identifier that is published to clients (RFC 9728 §1.2), exactly as written.</summary>
    /// <value>Null (the default): it is made of the scheme, host and path of each request.</value>
    /// <exception cref="ArgumentException">The value is not an http or https URL, or has a fragment.</exception>
    public string? ResourceUrl
    {
        get;
        init => field = PolicyValue.Checked(
            value, value is null || IsResource(value), nameof(ResourceUrl), "the resource URL must be an http or https URL without a fragment.");
    }

    /// <summary>Whether the caller's token is forwarded to the upstream.</summary>
    /// <value>Default false, as MCP demands.</value>
    public bool PassAuthorization { get; init; }

    /// <summary>Accepts JWT access tokens of one issuer, for one audience.</summary>
    /// <param name="issuer">The authorization server, as <see cref="JwtPolicy.Issuer"/>.</param>
    /// <param name="audience">The value that <c>aud</c> must contain.</param>
    /// <returns>A policy whose settings can be changed with <c>with</c>.</returns>
    /// <exception cref="ArgumentException">The issuer is not an https URL, or the audience is empty.</exception>
    public static JwtPolicy Oidc(string issuer, string audience) => new(issuer) { Audiences = [audience] };

    /// <summary>Accepts opaque access tokens; each is checked at an introspection endpoint (RFC 7662).</summary>
    /// <param name="endpoint">The endpoint.</param>
    /// <param name="clientId">The proxy's client id there.</param>
    /// <param name="clientSecret">The client's secret.</param>
    /// <returns>A policy whose settings can be changed with <c>with</c>.</returns>
    /// <exception cref="ArgumentException">The endpoint is neither https nor http on loopback.</exception>
    public static IntrospectionPolicy Introspection(Uri endpoint, string clientId, string clientSecret) =>
        new(TokenIntrospection.At(endpoint, clientId, clientSecret));

    /// <summary>Lets a validator of the host program decide.</summary>
    /// <param name="validator">Checks each token.</param>
    /// <returns>A policy whose settings can be changed with <c>with</c>.</returns>
    public static TokenPolicy Custom(ITokenValidator validator) => new HostPolicy(validator);

    /// <summary>Checks whether the settings fit together. A <see cref="McpProxy"/> does this too when it is created.</summary>
    /// <exception cref="ArgumentException">Two settings do not fit together; <see cref="ArgumentException.ParamName"/> is the wrong property.</exception>
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
