namespace McpProxyFast;

/// <summary>What kind of token one is, in the words of token exchange (RFC 8693 §3).</summary>
public sealed record ExchangedTokenType
{
    private const string Prefix = "urn:ietf:params:oauth:token-type:";

    private ExchangedTokenType(string urn) => Urn = urn;

    /// <summary>An OAuth access token.</summary>
    public static ExchangedTokenType AccessToken { get; } = new(Prefix + "access_token");

    /// <summary>An ID token of OpenID Connect.</summary>
    public static ExchangedTokenType IdToken { get; } = new(Prefix + "id_token");

    /// <summary>A JWT, of which no more is said.</summary>
    public static ExchangedTokenType Jwt { get; } = new(Prefix + "jwt");

    /// <summary>The identifier on the wire.</summary>
    public string Urn { get; }

    /// <summary>Any kind, by its identifier.</summary>
    /// <param name="urn">An absolute URI.</param>
    /// <returns>The kind.</returns>
    /// <exception cref="ArgumentException">It is not an absolute URI.</exception>
    public static ExchangedTokenType Named(string urn) => new(PolicyValue.Checked(
        urn, PolicyValue.IsWord(urn) && UrlRule.Parse(urn) is not null, nameof(urn), "A token type must be an absolute URI (RFC 8693 §3)."));

    /// <summary>The identifier.</summary>
    /// <returns>The identifier.</returns>
    public override string ToString() => Urn;
}
