namespace McpProxyFast.OAuth.Store;

/// <summary>The tokens that a token endpoint has issued.</summary>
internal sealed record TokenSet
{
    public required string AccessToken { get; init; }

    /// <summary><c>Bearer</c> or <c>DPoP</c>.</summary>
    public required string TokenType { get; init; }

    public string? RefreshToken { get; init; }

    /// <summary>
    /// Whether the server has kept the refresh token valid at the last renewal, instead of replacing it. Then it may be sent again even if a renewal gets no
    /// answer.
    /// </summary>
    public bool IsRefreshTokenLasting { get; init; }

    /// <summary>The granted scopes; null if the server did not say.</summary>
    public string? Scope { get; init; }

    public required DateTimeOffset IssuedAt { get; init; }

    /// <summary>When the access token expires; null if the server did not say.</summary>
    public DateTimeOffset? ExpiresAt { get; init; }

    /// <summary>
    /// The ID token, which says who signed in; null if the server has sent none, or if it has failed the check after a sign-in in the browser. It is only used
    /// in a token exchange.
    /// </summary>
    public string? IdToken { get; init; }

    /// <summary>A description for logs, without a secret.</summary>
    public override string ToString() =>
        $"{TokenType}, until {ExpiresAt?.ToString("u") ?? "unknown"}, {(RefreshToken is null ? "not renewable" : "renewable")}";
}
