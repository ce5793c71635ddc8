namespace McpProxyFast;

/// <summary>The OAuth grant with which the proxy obtains a token. Each kind of grant has its own settings.</summary>
public abstract record OAuthGrant
{
    private protected OAuthGrant()
    {
    }

    /// <summary>
    /// The grant's name in logs and, hashed, in the credential store; so it must never change. The property is internal, so that other assemblies cannot derive
    /// from this record.
    /// </summary>
    internal abstract string Name { get; }

    /// <summary>The OAuth client that asks for the token; null if the request names no client.</summary>
    internal abstract OAuthClient? AskingClient { get; }

    /// <summary>Whether a person has to sign in.</summary>
    internal virtual bool NeedsPerson => false;

    /// <summary>
    /// Whether the token is written to the credential store, so that the next process can use it. This saves a sign-in by a person, or a request for a new
    /// token that the server may limit or bill.
    /// </summary>
    internal virtual bool IsKept => true;

    /// <summary>
    /// Further settings that distinguish one identity from another, each as <c>name=value</c>. They are part of the keys of the credential store, so their form
    /// must never change.
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
        /// <value>
        /// 0 to 65,535; 0 lets the system choose a port. Default 8666. If the port is in use, the proxy uses another port. For a <see cref="KnownClient"/> that
        /// is an error instead, since its redirect URI is registered.
        /// </value>
        /// <exception cref="ArgumentException">The value is outside the range.</exception>
        public int CallbackPort
        {
            get;
            init => field = PolicyValue.Checked(
                value, value is >= 0 and <= 65_535, nameof(CallbackPort), "The callback port must lie between 0 and 65535.");
        } = 8666;

        /// <summary>With true, the proxy does not open a browser. With true and with false, it logs the URL at which the person signs in.</summary>
        /// <value>Default false.</value>
        public bool SkipBrowser { get; init; }

        /// <summary>The name of the scope parameter in the authorization request.</summary>
        /// <value>Default <c>scope</c>. Some servers expect another name, such as <c>user_scope</c>.</value>
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

    /// <summary>A person opens a link with a browser on any device, such as a phone, enters a code there, and signs in (RFC 8628).</summary>
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

    /// <summary>The proxy obtains a token for itself, without a person (RFC 6749 §4.4).</summary>
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

    /// <summary>The proxy presents a token that its platform provides, such as the token of a Kubernetes service account (RFC 7523 §2.1).</summary>
    /// <param name="AssertionFile">The path of the file with the platform's token. The file is read at each use.</param>
    /// <exception cref="ArgumentException">The path is empty.</exception>
    public sealed record JwtBearer(string AssertionFile) : OAuthGrant
    {
        /// <summary>The path of the file with the platform's token. The file is read at each use.</summary>
        /// <exception cref="ArgumentException">The path is empty.</exception>
        public string AssertionFile
        {
            get;
            init => field = PolicyValue.NotEmpty(value, nameof(AssertionFile));
        } = PolicyValue.NotEmpty(AssertionFile, nameof(AssertionFile));

        /// <summary>The client that asks for the token.</summary>
        /// <value>Null (the default): the request names no client; the platform's token alone identifies the proxy.</value>
        public KnownClient? Client { get; init; }

        /// <inheritdoc/>
        internal override string Name => "JwtBearer";

        /// <inheritdoc/>
        internal override OAuthClient? AskingClient => Client;

        /// <inheritdoc/>
        /// <remarks>The content of the file determines whom the token is for, and it may change. So the token is not written to the store.</remarks>
        internal override bool IsKept => false;

        /// <inheritdoc/>
        internal override IEnumerable<string> StoreDetails => [$"assertion={AssertionFile}"];
    }

    /// <summary>
    /// A company's identity provider has issued an ID token for a person. The proxy exchanges it at that provider for an assertion (RFC 8693), and the
    /// assertion at the target's authorization server for a token (RFC 7523).
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
        /// <remarks>The content of the file determines whom the token is for, and it may change. So the token is not written to the store.</remarks>
        internal override bool IsKept => false;

        /// <inheritdoc/>
        internal override IEnumerable<string> StoreDetails => [$"idp={IdpTokenUrl.OriginalString}", $"idp-client={IdpClientId}", $"id-token={IdTokenFile}"];
    }
}
