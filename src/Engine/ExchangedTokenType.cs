namespace McpProxyFast;

/// <summary>A kind of token in a token exchange, given by a token type identifier (RFC 8693 §3).</summary>
public sealed record ExchangedTokenType
{
    private const string Prefix = "urn:ietf:params:oauth:token-type:";

    private ExchangedTokenType(string urn) => Urn = urn;

    /// <summary>An OAuth access token.</summary>
    public static ExchangedTokenType AccessToken { get; } = new(Prefix + "access_token");

    /// <summary>An ID token of OpenID Connect.</summary>
    public static ExchangedTokenType IdToken { get; } = new(Prefix + "id_token");

    /// <summary>A JWT of any use.</summary>
    public static ExchangedTokenType Jwt { get; } = new(Prefix + "jwt");

    /// <summary>The URI that identifies the kind of token in requests and responses.</summary>
    public string Urn { get; }

    /// <summary>Any kind of token, given by the URI that identifies it.</summary>
    /// <param name="urn">An absolute URI.</param>
    /// <returns>The kind.</returns>
    /// <exception cref="ArgumentException">The text is not an absolute URI.</exception>
    public static ExchangedTokenType Named(string urn) => new(PolicyValue.Checked(
        urn, PolicyValue.IsWord(urn) && UrlRule.Parse(urn) is not null, nameof(urn), "A token type must be an absolute URI (RFC 8693 §3)."));

    /// <summary>Returns the URI that identifies the kind.</summary>
    /// <returns>The URI.</returns>
    public override string ToString() => Urn;
}
