namespace McpProxyFast;

/// <summary>Whose access tokens let a caller in, and what a caller without one is told.</summary>
/// <remarks>At least one of <see cref="Issuer"/>, <see cref="JwksUri"/>, <see cref="IntrospectionUri"/> and <see cref="Validator"/> is needed.</remarks>
public sealed record TokenPolicy
{
    private static readonly TimeSpan MaxClockSkew = TimeSpan.FromMinutes(10);
    private static readonly string[] MicrosoftHosts =
        ["login.microsoftonline.com", "login.microsoftonline.us", "login.partner.microsoftonline.cn", "sts.windows.net"];


    /// <summary>
    /// The authorization server, character for character as in the tokens' <c>iss</c>. Its keys are found by discovery (OpenID Connect Discovery, then RFC
    /// 8414).
    /// </summary>
    public string? Issuer { get; init; }

    /// <summary>Accepted values of <c>aud</c>; one is enough. Empty: not checked, which MCP forbids and a warning says.</summary>
    public IReadOnlyList<string> Audiences { get; init; } = [];

    /// <summary>Clients whose tokens are accepted: what a token has of <c>client_id</c> and <c>azp</c>, at least one, must be one of them.</summary>
    /// <value>Default none: any client's. With it, a token without <c>aud</c> is accepted too, since some servers write none (Amazon Cognito).</value>
    public IReadOnlyList<string> AllowedClients { get; init; } = [];

    /// <summary>Where the signing keys are, in place of discovery.</summary>
    public Uri? JwksUri { get; init; }

    /// <summary>
    /// Where opaque tokens are asked about (RFC 7662); with neither issuer nor keys, where all are. Google's and GitHub's own forms are known by their
    /// addresses.
    /// </summary>
    public Uri? IntrospectionUri { get; init; }

    /// <summary>The client id for introspection.</summary>
    public string? ClientId { get; init; }

    /// <summary>The client secret for introspection. Never printed.</summary>
    public string? ClientSecret { get; init; }

    /// <summary><c>scopes_supported</c> of the protected resource's metadata (RFC 9728 §2).</summary>
    /// <value>Default <c>openid</c>. <see cref="RequiredScopes"/> are added.</value>
    public IReadOnlyList<string> AdvertisedScopes { get; init; } = ["openid"];

    /// <summary>Scopes a token must have, all of them; else 403 <c>insufficient_scope</c>. Default none.</summary>
    public IReadOnlyList<string> RequiredScopes { get; init; } = [];

    /// <summary>How far the clocks of issuer and proxy may differ.</summary>
    /// <value>0 to 10 min. Default 60 s.</value>
    public TimeSpan ClockSkew { get; init; } = TimeSpan.FromSeconds(60);

    /// <summary>The resource identifier that clients know (RFC 9728 §1.2), kept as written; default: each request's own scheme, host and path.</summary>
    public string? ResourceUrl { get; init; }

    /// <summary>Sends the caller's token on to the upstream. Default false, as MCP demands.</summary>
    public bool PassAuthorization { get; init; }

    /// <summary>Decides in place of everything above.</summary>
    public ITokenValidator? Validator { get; init; }

    /// <summary>JWT access tokens of one issuer, for one audience.</summary>
    public static TokenPolicy Oidc(string issuer, string audience) => new() { Issuer = issuer, Audiences = [audience] };

    /// <summary>Opaque access tokens, each asked about at an introspection endpoint.</summary>
    public static TokenPolicy Introspection(Uri endpoint, string clientId, string clientSecret) =>
        new() { IntrospectionUri = endpoint, ClientId = clientId, ClientSecret = clientSecret };

    /// <summary>A decision of the host's own.</summary>
    public static TokenPolicy Custom(ITokenValidator validator) => new() { Validator = validator };

    /// <summary>Checks that the parts fit together.</summary>
    /// <exception cref="ArgumentException">They do not; <see cref="ArgumentException.ParamName"/> is the property at fault.</exception>
    public void Validate()
    {
        Require(Validator is not null || Issuer is not null || JwksUri is not null || IntrospectionUri is not null, nameof(Issuer),
            "an issuer, a key set or an introspection endpoint is needed");
        Require(Validator is null || (Issuer is null && JwksUri is null && IntrospectionUri is null), nameof(Validator),
            "a validator of one's own stands alone");
        Require(Issuer is null || !IsForManyTenants(Issuer), nameof(Issuer),
            "an issuer is that of one tenant, as in its tokens' iss: put the tenant's id in place of the placeholder or of common, organizations, consumers");
        Require(Issuer is null || (Uri.TryCreate(Issuer, UriKind.Absolute, out Uri? issuer) && IsTrustworthy(issuer) && issuer.Query.Length == 0),
            nameof(Issuer), "an issuer is an https URL without query (http on loopback only)");
        Require(JwksUri is null || IsTrustworthy(JwksUri), nameof(JwksUri), "a key set is fetched over https (http on loopback only)");
        Require(ClockSkew >= TimeSpan.Zero && ClockSkew <= MaxClockSkew, nameof(ClockSkew), "the clock skew lies between 0 s and 10 min");
        Require(ResourceUrl is null || IsResource(ResourceUrl), nameof(ResourceUrl), "a resource is an http or https URL without fragment");
        Require(Audiences.All(audience => audience.Length > 0), nameof(Audiences), "an audience is not empty");
        Require(AllowedClients.All(client => client.Length > 0), nameof(AllowedClients), "a client id is not empty");
        Require(AdvertisedScopes.All(IsScope), nameof(AdvertisedScopes), "a scope is printable ASCII without blanks, quotes and back-slashes");
        Require(RequiredScopes.All(IsScope), nameof(RequiredScopes), "a scope is printable ASCII without blanks, quotes and back-slashes");
        ValidateIntrospection();
    }

    /// <summary>The policy in one line, without its secret.</summary>
    public override string ToString() =>
        $"TokenPolicy {{ Issuer = {Issuer}, Audiences = [{string.Join(", ", Audiences)}], "
        + $"AllowedClients = [{string.Join(", ", AllowedClients)}], JwksUri = {JwksUri}, IntrospectionUri = {IntrospectionUri}, "
        + $"ClientId = {ClientId}, ClientSecret = {(ClientSecret is null ? "none" : "given")}, RequiredScopes = [{string.Join(' ', RequiredScopes)}], "
        + $"ResourceUrl = {ResourceUrl}, PassAuthorization = {PassAuthorization}, Validator = {Validator?.GetType().Name} }}";

    private void ValidateIntrospection()
    {
        Require(ClientId is not "", nameof(ClientId), "a client id is not empty; leave it out where there is none");
        Require(ClientSecret is not "", nameof(ClientSecret), "a client secret is not empty; leave it out where there is none");
        Require(ClientSecret is null || ClientId is not null, nameof(ClientId), "a client secret needs its client id");
        if (IntrospectionUri is null)
        {
            return;
        }

        Require(IsTrustworthy(IntrospectionUri), nameof(IntrospectionUri), "introspection goes over https (http on loopback only)");
        Require(!IsGoogle(IntrospectionUri) || Audiences.Count > 0 || AllowedClients.Count > 0, nameof(Audiences),
            "Google's tokeninfo knows every token of Google's, so it needs an audience or allowed clients");
        Require(!IsGitHub(IntrospectionUri) || ClientSecret is not null, nameof(ClientSecret), "GitHub's token check needs the app's client id and secret");
    }

    /// <summary>Whether this is Google's tokeninfo, which is not RFC 7662.</summary>
    internal static bool IsGoogle(Uri endpoint) => endpoint is { Host: "oauth2.googleapis.com", AbsolutePath: "/tokeninfo" };

    /// <summary>Whether this is GitHub's check of an app's token, which is not RFC 7662.</summary>
    internal static bool IsGitHub(Uri endpoint) =>
        endpoint.Host == "api.github.com" && endpoint.AbsolutePath.StartsWith("/applications/", StringComparison.Ordinal);

    /// <summary>Whether this names the tokens of many tenants, so that no token's <c>iss</c> is ever equal to it.</summary>
    /// <remarks>Microsoft publishes <c>https://login.microsoftonline.com/{tenantid}/v2.0</c> as the issuer at the three names that stand for many.</remarks>
    internal static bool IsForManyTenants(string issuer) =>
        issuer.AsSpan().ContainsAny('{', '}')
        || issuer.Contains("%7B", StringComparison.OrdinalIgnoreCase)
        || (Uri.TryCreate(issuer, UriKind.Absolute, out Uri? url)
            && MicrosoftHosts.Contains(url.Host)
            && url.Segments is [_, var tenant, ..]
            && tenant.TrimEnd('/').ToLowerInvariant() is "common" or "organizations" or "consumers");

    private static bool IsTrustworthy(Uri uri) =>
        uri.IsAbsoluteUri && uri.UserInfo.Length == 0 && uri.Fragment.Length == 0
        && (uri.Scheme == Uri.UriSchemeHttps || (uri.Scheme == Uri.UriSchemeHttp && uri.IsLoopback));

    private static bool IsResource(string text) =>
        Uri.TryCreate(text, UriKind.Absolute, out Uri? uri)
        && (uri.Scheme == Uri.UriSchemeHttps || uri.Scheme == Uri.UriSchemeHttp)
        && uri.Fragment.Length == 0 && uri.UserInfo.Length == 0
        && text.All(character => character is > ' ' and < '\x7f' and not '"' and not '\\');

    // scope-token = 1*( %x21 / %x23-5B / %x5D-7E ), RFC 6749 §3.3
    private static bool IsScope(string text) => text.Length > 0 && text.All(character => character is > ' ' and < '\x7f' and not '"' and not '\\');

    private static void Require(bool holds, string property, string rule)
    {
        if (!holds)
        {
            throw new ArgumentException($"{property}: {rule}.", property);
        }
    }
}
