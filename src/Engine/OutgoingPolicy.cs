namespace McpProxyFast;

/// <summary>Which credential the proxy sends to the upstream, and how it obtains it.</summary>
/// <remarks>
/// A static bearer beats everything else; a host's own <see cref="Source"/> beats OAuth. With nothing but <see cref="OAuth"/>
/// everything is discovered from the target (RFC 9728, RFC 8414, RFC 7591).
/// </remarks>
public sealed record OutgoingPolicy
{
    /// <summary>The <see cref="StorePath"/> that the command line uses when none is given.</summary>
    public static string DefaultStorePath => Path.Combine(
        Environment.GetFolderPath(Environment.SpecialFolder.LocalApplicationData, Environment.SpecialFolderOption.DoNotVerify),
        "mcpproxyfast",
        "credentials");

    /// <summary>A token that never changes, sent as <c>Authorization: Bearer</c>.</summary>
    public string? BearerToken { get; init; }

    /// <summary>A file with such a token, read again when it changes; blanks around the token are ignored.</summary>
    public string? BearerTokenFile { get; init; }

    /// <summary>A host's own source of credentials.</summary>
    public ICredentialSource? Source { get; init; }

    /// <summary>How a token is obtained.</summary>
    /// <value>Default <see cref="OutgoingGrant.AuthorizationCode"/>.</value>
    public OutgoingGrant Grant { get; init; }

    /// <summary>The issuer of the tokens, byte for byte as its metadata says it (RFC 8414 §3.3). Null: the target names it.</summary>
    public string? Issuer { get; init; }

    /// <summary>The authorization endpoint, for servers without metadata; given together with <see cref="TokenUrl"/>.</summary>
    public Uri? AuthorizeUrl { get; init; }

    /// <summary>The token endpoint, for servers without metadata.</summary>
    public Uri? TokenUrl { get; init; }

    /// <summary>The id of a client that was registered beforehand.</summary>
    public string? ClientId { get; init; }

    /// <summary>The secret of that client.</summary>
    public string? ClientSecret { get; init; }

    /// <summary>A PEM file with that client's private key, for <c>private_key_jwt</c> (RFC 7523 §2.2).</summary>
    public string? ClientKeyFile { get; init; }

    /// <summary>The https URL of a client-id metadata document, used as client id where the server supports it.</summary>
    public string? ClientMetadataUrl { get; init; }

    /// <summary>The scopes to ask for.</summary>
    /// <value>Empty (the default): the challenge's, else the resource's <c>scopes_supported</c>, else none.</value>
    public IReadOnlyList<string> Scopes { get; init; } = [];

    /// <summary>The name of the authorization request's scope parameter.</summary>
    /// <value>Default <c>scope</c>; some servers want another, such as <c>user_scope</c>.</value>
    public string ScopeParameter { get; init; } = "scope";

    /// <summary>The resource indicator (RFC 8707).</summary>
    /// <value>Null (the default): what the resource's metadata says, byte for byte; none where it publishes none.</value>
    public string? Resource { get; init; }

    /// <summary>The loopback port on which the browser comes back.</summary>
    /// <value>0 to 65,535; 0 lets the system choose. Default 8666. A busy port is an error only for a client registered beforehand.</value>
    public int CallbackPort { get; init; } = 8666;

    /// <summary>Do not open a browser; the URL is logged either way.</summary>
    public bool SkipBrowser { get; init; }

    /// <summary>How long a whole sign-in may take.</summary>
    /// <value>1 s to 1 h. Null (the default): 30 s, or 5 min where a person has to act.</value>
    public TimeSpan? SignInTimeout { get; init; }

    /// <summary>The file with the assertion of <see cref="OutgoingGrant.JwtBearer"/>, read at each use.</summary>
    public string? AssertionFile { get; init; }

    /// <summary>The identity provider's token endpoint, for <see cref="OutgoingGrant.IdentityAssertion"/>.</summary>
    public Uri? IdpTokenUrl { get; init; }

    /// <summary>The client id at that identity provider.</summary>
    public string? IdpClientId { get; init; }

    /// <summary>The file with the person's ID token, read at each use.</summary>
    public string? IdTokenFile { get; init; }

    /// <summary>Bind tokens to a key and prove its possession with each request (RFC 9449).</summary>
    public bool DPoP { get; init; }

    /// <summary>The encrypted file that keeps tokens and registrations.</summary>
    /// <value>Null (the default): memory only.</value>
    public string? StorePath { get; init; }

    /// <summary>The store's key, 32 bytes as base64.</summary>
    /// <value>Null (the default): a key made at first use, in a file beside the store that only its owner can read.</value>
    public string? StoreKey { get; init; }

    /// <summary>Everything is discovered from the target.</summary>
    /// <returns>A policy to refine with <c>with</c>.</returns>
    public static OutgoingPolicy OAuth() => new();

    /// <summary>A token that never changes.</summary>
    /// <param name="token">The token, without a scheme.</param>
    /// <returns>The policy.</returns>
    public static OutgoingPolicy Bearer(string token) => new() { BearerToken = token };

    /// <summary>A token in a file that may change.</summary>
    /// <param name="path">The file.</param>
    /// <returns>The policy.</returns>
    public static OutgoingPolicy BearerFile(string path) => new() { BearerTokenFile = path };

    /// <summary>A host's own source.</summary>
    /// <param name="source">The source.</param>
    /// <returns>The policy.</returns>
    public static OutgoingPolicy From(ICredentialSource source) => new() { Source = source };

    /// <summary>Names what cannot work, before anything is started.</summary>
    /// <exception cref="ArgumentException">Settings exclude or lack each other, or one is malformed; <see cref="ArgumentException.ParamName"/> is the
    /// property at fault.</exception>
    public void Validate() => OutgoingPolicyRules.Check(this);

    /// <summary>Says what this is about, without a secret.</summary>
    /// <returns>One line.</returns>
    public override string ToString() =>
        BearerToken is not null || BearerTokenFile is not null ? "bearer"
        : Source is not null ? "host's own"
        : $"OAuth, {Grant}";
}
