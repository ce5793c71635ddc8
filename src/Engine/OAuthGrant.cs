namespace McpProxyFast;

/// <summary>How the proxy obtains a token: the OAuth grant. Each kind has exactly the settings that it needs.</summary>
public abstract record OAuthGrant
{
    private protected OAuthGrant()
    {
    }

    /// <summary>The grant's name in logs and, hashed, in the store; so it must never change. Since it is internal, nobody else can add a kind.</summary>
    internal abstract string Name { get; }

    /// <summary>The OAuth client that asks for the token; null if there is none.</summary>
    internal abstract OAuthClient? AskingClient { get; }

    /// <summary>Whether a person has to act.</summary>
    internal virtual bool NeedsPerson => false;

    /// <summary>
    /// Whether the token is kept in the store between runs. That is worthwhile if a new one needs a person, or a request that may be limited or billed.
    /// </summary>
    internal virtual bool IsKept => true;

    /// <summary>
    /// Further settings that distinguish one identity from another, each as <c>name=value</c>. They are part of the store's keys, so they must never change.
    /// </summary>
    internal virtual IEnumerable<string> StoreDetails => [];

    /// <summary>Returns the name of the grant, without secrets.</summary>
    /// <returns>One word.</returns>
    public sealed override string ToString() => Name;

    /// <summary>A person signs in with a browser on this machine (RFC 6749 §4.1 with PKCE, RFC 7636).</summary>
    public sealed record AuthorizationCode : OAuthGrant
    {
        /// <summary>The client that asks for the token.</summary>
        /// <value>Default <see cref="OAuthClient.Registered"/>.</value>
        public OAuthClient Client { get; init; } = OAuthClient.Registered;

        /// <summary>The loopback port to which the browser is redirected after the sign-in.</summary>
        /// <value>0 to 65,535; 0 lets the system choose. Default 8666. A busy port is an error only for a <see cref="KnownClient"/>.</value>
        /// <exception cref="ArgumentException">The value is outside the range.</exception>
        public int CallbackPort
        {
            get;
            init => field = PolicyValue.Checked(
                value, value is >= 0 and <= 65_535, nameof(CallbackPort), "The callback port must lie between 0 and 65535.");
        } = 8666;

        /// <summary>Whether not to open a browser. The URL is logged in both cases.</summary>
        /// <value>Default false.</value>
        public bool SkipBrowser { get; init; }

        /// <summary>The name of the authorization request's scope parameter.</summary>
        /// <value>Default <c>scope</c>; some servers want another, such as <c>user_scope</c>.</value>
        /// <exception cref="ArgumentException">The name is empty.</exception>
        public string ScopeParameter
        {
            get;
            init => field = PolicyValue.Checked(value, value.Length > 0, nameof(ScopeParameter), "The scope parameter needs a name.");
        } = "scope";

        /// <inheritdoc/>
        internal override string Name => "AuthorizationCode";

        /// <inheritdoc/>
        internal override OAuthClient AskingClient => Client;

        /// <inheritdoc/>
        internal override bool NeedsPerson => true;

        /// <inheritdoc/>
        internal override IEnumerable<string> StoreDetails => ScopeParameter == "scope" ? [] : [$"scope-parameter={ScopeParameter}"];
    }

    /// <summary>A person signs in with a browser on another machine (RFC 8628).</summary>
    public sealed record DeviceCode : OAuthGrant
    {
        /// <summary>The client that asks for the token.</summary>
        /// <value>Default <see cref="OAuthClient.Registered"/>.</value>
        public OAuthClient Client { get; init; } = OAuthClient.Registered;

        /// <inheritdoc/>
        internal override string Name => "DeviceCode";

        /// <inheritdoc/>
        internal override OAuthClient AskingClient => Client;

        /// <inheritdoc/>
        internal override bool NeedsPerson => true;
    }

    /// <summary>The proxy signs in as itself (RFC 6749 §4.4).</summary>
    /// <param name="ClientId">The id of a client that was registered beforehand.</param>
    /// <param name="Authentication">How the client authenticates.</param>
    /// <exception cref="ArgumentException">The id is empty.</exception>
    public sealed record ClientCredentials(string ClientId, ClientAuthentication Authentication) : OAuthGrant
    {
        /// <summary>The id of a client that was registered beforehand.</summary>
        /// <exception cref="ArgumentException">It is empty.</exception>
        public string ClientId
        {
            get;
            init => field = PolicyValue.NotEmpty(value, nameof(ClientId));
        } = PolicyValue.NotEmpty(ClientId, nameof(ClientId));

        /// <inheritdoc/>
        internal override string Name => "ClientCredentials";

        /// <inheritdoc/>
        internal override OAuthClient AskingClient => new KnownClient(ClientId, Authentication);
    }

    /// <summary>The proxy presents a token that its platform gave it, such as that of a Kubernetes service account (RFC 7523 §2.1).</summary>
    /// <param name="AssertionFile">The path of the file with that token; it is read at each use.</param>
    /// <exception cref="ArgumentException">The path is empty.</exception>
    public sealed record JwtBearer(string AssertionFile) : OAuthGrant
    {
        /// <summary>The path of the file with that token; it is read at each use.</summary>
        /// <exception cref="ArgumentException">The path is empty.</exception>
        public string AssertionFile
        {
            get;
            init => field = PolicyValue.NotEmpty(value, nameof(AssertionFile));
        } = PolicyValue.NotEmpty(AssertionFile, nameof(AssertionFile));

        /// <summary>The client that asks for the token.</summary>
        /// <value>Null (the default): no client is named; the token alone identifies the proxy.</value>
        public KnownClient? Client { get; init; }

        /// <inheritdoc/>
        internal override string Name => "JwtBearer";

        /// <inheritdoc/>
        internal override OAuthClient? AskingClient => Client;

        /// <inheritdoc/>
        /// <remarks>The file decides whose token it is, and its content may change, so the result is not kept.</remarks>
        internal override bool IsKept => false;

        /// <inheritdoc/>
        internal override IEnumerable<string> StoreDetails => [$"assertion={AssertionFile}"];
    }

    /// <summary>
    /// A company's identity provider confirms who the person is: its ID token is exchanged for an assertion, and that for a token (RFC 8693, then RFC 7523).
    /// </summary>
    public sealed record IdentityAssertion : OAuthGrant
    {
        /// <summary>The client that asks for the token, at the target's authorization server.</summary>
        public required KnownClient Client { get; init; }

        /// <summary>The identity provider's token endpoint.</summary>
        /// <exception cref="ArgumentException">It is neither https nor http on loopback.</exception>
        public required Uri IdpTokenUrl
        {
            get;
            init => field = PolicyValue.SecureUrl(value, nameof(IdpTokenUrl), "identity provider's token URL");
        }

        /// <summary>The proxy's client id at the identity provider.</summary>
        /// <exception cref="ArgumentException">It is empty.</exception>
        public required string IdpClientId { get; init => field = PolicyValue.NotEmpty(value, nameof(IdpClientId)); }

        /// <summary>The path of the file with the person's ID token; it is read at each use.</summary>
        /// <exception cref="ArgumentException">The path is empty.</exception>
        public required string IdTokenFile { get; init => field = PolicyValue.NotEmpty(value, nameof(IdTokenFile)); }

        /// <inheritdoc/>
        internal override string Name => "IdentityAssertion";

        /// <inheritdoc/>
        internal override OAuthClient AskingClient => Client;

        /// <inheritdoc/>
        /// <remarks>The file decides whose token it is, and its content may change, so the result is not kept.</remarks>
        internal override bool IsKept => false;

        /// <inheritdoc/>
        internal override IEnumerable<string> StoreDetails => [$"idp={IdpTokenUrl.OriginalString}", $"idp-client={IdpClientId}", $"id-token={IdTokenFile}"];
    }
}
