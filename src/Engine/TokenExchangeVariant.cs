namespace McpProxyFast;

/// <summary>The form of the request in which a token is exchanged. Each form has exactly the parameters that it can send.</summary>
public abstract record TokenExchangeVariant
{
    private protected TokenExchangeVariant()
    {
    }

    /// <summary>The scopes to ask for.</summary>
    /// <value>Default none.</value>
    /// <exception cref="ArgumentException">An entry is not a scope (RFC 6749 §3.3).</exception>
    public IReadOnlyList<string> Scopes { get; init => field = PolicyValue.Scopes(value, nameof(Scopes)); } = [];

    /// <summary>The variant's name in logs. Since it is internal, nobody else can add a kind.</summary>
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
        /// <value>Null (the default): that of RFC 8693.</value>
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
        /// Default <see cref="ExchangedTokenType.AccessToken"/>. If the subject is a login, <see cref="ExchangedTokenType.IdToken"/> means the ID token of that
        /// login.
        /// </value>
        public ExchangedTokenType SubjectTokenType { get; init; } = ExchangedTokenType.AccessToken;

        /// <summary>The kind of token to ask for.</summary>
        /// <value>Null (the default): the request names none.</value>
        public ExchangedTokenType? RequestedTokenType { get; init; }

        /// <summary>The audiences of the new token, in the order in which they are sent.</summary>
        /// <value>Default none.</value>
        /// <exception cref="ArgumentException">An entry is empty.</exception>
        public IReadOnlyList<string> Audiences { get; init => field = Audience(value); } = [];

        /// <summary>The resources at which the new token is used (RFC 8707), in the order in which they are sent.</summary>
        /// <value>Default none.</value>
        /// <exception cref="ArgumentException">An entry is not an absolute URI, or has a fragment.</exception>
        public IReadOnlyList<string> Resources { get; init => field = Resource(value); } = [];

        /// <summary>The party that acts for the subject.</summary>
        /// <value>Default null: nobody.</value>
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

    /// <summary>The grant that sends the subject's token as an assertion (RFC 7523 §2.1).</summary>
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
