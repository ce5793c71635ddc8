namespace McpProxyFast;

/// <summary>The form of the request that exchanges a token. Each form has its own parameters.</summary>
public abstract record TokenExchangeVariant
{
    private protected TokenExchangeVariant()
    {
    }

    /// <summary>The scopes to ask for.</summary>
    /// <value>Default none.</value>
    /// <exception cref="ArgumentException">An entry is not a scope (RFC 6749 §3.3).</exception>
    public IReadOnlyList<string> Scopes { get; init => field = PolicyValue.Scopes(value, nameof(Scopes)); } = [];

    /// <summary>The variant's name in logs. It is internal, so that other assemblies cannot derive from this record.</summary>
    internal abstract string Name { get; }

    private static IReadOnlyList<string> Audience(IReadOnlyList<string> audiences) => PolicyValue.Checked(
        audiences, audiences.All(audience => audience.Length > 0), nameof(Rfc8693.Audiences), "An audience must not be empty.");

    private static IReadOnlyList<string> Resource(IReadOnlyList<string> resources) => PolicyValue.Checked(
        resources,
        resources.All(resource => PolicyValue.IsWord(resource) && UrlRule.Parse(resource) is { Fragment.Length: 0 }),
        nameof(Rfc8693.Resources),
        "A resource must be an absolute URI without a fragment (RFC 8707 §2).");

    /// <summary>Token exchange (RFC 8693), and other grants with the same parameters.</summary>
    public sealed record Rfc8693 : TokenExchangeVariant
    {
        /// <summary>The grant type.</summary>
        /// <value>Null (the default): <c>urn:ietf:params:oauth:grant-type:token-exchange</c> (RFC 8693 §2.1).</value>
        /// <exception cref="ArgumentException">The value is not an absolute URI.</exception>
        public string? GrantType
        {
            get;
            init => field = PolicyValue.Checked(
                value,
                value is null || (PolicyValue.IsWord(value) && UrlRule.Parse(value) is not null),
                nameof(GrantType),
                "The grant type of an extension must be an absolute URI (RFC 6749 §4.5).");
        }

        /// <summary>The kind of the subject's token.</summary>
        /// <value>
        /// Default <see cref="ExchangedTokenType.AccessToken"/>. If the proxy obtains the subject's token itself and this is
        /// <see cref="ExchangedTokenType.IdToken"/>, it exchanges the ID token that it got with the access token.
        /// </value>
        public ExchangedTokenType SubjectTokenType { get; init; } = ExchangedTokenType.AccessToken;

        /// <summary>The kind of token to ask for.</summary>
        /// <value>Null (the default): the request has no <c>requested_token_type</c>.</value>
        public ExchangedTokenType? RequestedTokenType { get; init; }

        /// <summary>The audiences of the new token, in the order in which they are sent.</summary>
        /// <value>Default none.</value>
        /// <exception cref="ArgumentException">An entry is empty.</exception>
        public IReadOnlyList<string> Audiences { get; init => field = Audience(value); } = [];

        /// <summary>The resources at which the new token is used (RFC 8707), in the order in which they are sent.</summary>
        /// <value>Default none.</value>
        /// <exception cref="ArgumentException">An entry is not an absolute URI, or has a fragment.</exception>
        public IReadOnlyList<string> Resources { get; init => field = Resource(value); } = [];

        /// <summary>The party that acts for the subject (RFC 8693 §1.1).</summary>
        /// <value>Default null: the request has no <c>actor_token</c>.</value>
        public TokenExchangeActor? Actor { get; init; }

        /// <inheritdoc/>
        internal override string Name => "rfc8693";
    }

    /// <summary>The on-behalf-of flow of Microsoft Entra. It needs <see cref="Scopes"/>; audiences and resources are not sent.</summary>
    public sealed record EntraOnBehalfOf : TokenExchangeVariant
    {
        /// <inheritdoc/>
        internal override string Name => "entra-obo";
    }

    /// <summary>The grant <c>jwt-bearer</c>: the subject's token is sent as the assertion (RFC 7523 §2.1).</summary>
    public sealed record JwtBearer : TokenExchangeVariant
    {
        /// <summary>The audiences of the new token, as in <see cref="Rfc8693.Audiences"/>.</summary>
        /// <value>Default none.</value>
        /// <exception cref="ArgumentException">An entry is empty.</exception>
        public IReadOnlyList<string> Audiences { get; init => field = Audience(value); } = [];

        /// <summary>The resources at which the new token is used, as in <see cref="Rfc8693.Resources"/>.</summary>
        /// <value>Default none.</value>
        /// <exception cref="ArgumentException">An entry is not an absolute URI, or has a fragment.</exception>
        public IReadOnlyList<string> Resources { get; init => field = Resource(value); } = [];

        /// <inheritdoc/>
        internal override string Name => "jwt-bearer";
    }
}
