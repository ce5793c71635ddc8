namespace McpProxyFast.OAuth.Store;

/// <summary>The tokens that a token endpoint has issued.</summary>
internal sealed record TokenSet
{
    public required string AccessToken { get; init; }

    /// <summary><c>Bearer</c> or <c>DPoP</c>.</summary>
    public required string TokenType { get; init; }

    public string? RefreshToken { get; init; }

    /// <summary>Whether the last renewal did not replace the refresh token. Then the refresh token may be sent again even if no answer came.</summary>
    public bool IsRefreshTokenLasting { get; init; }

    /// <summary>The granted scopes; null if the server did not say.</summary>
    public string? Scope { get; init; }

    public required DateTimeOffset IssuedAt { get; init; }

    /// <summary>When the access token expires; null if the server did not say.</summary>
    public DateTimeOffset? ExpiresAt { get; init; }

    /// <summary>
    /// The ID token, which says who signed in. Only set if the sign-in asked for <c>openid</c> and the token has been checked; otherwise null. It is sent only
    /// to be exchanged.
    /// </summary>
    public string? IdToken { get; init; }

    /// <summary>A description for logs, without a secret.</summary>
    public override string ToString() =>
        $"{TokenType}, until {ExpiresAt?.ToString("u") ?? "unknown"}, {(RefreshToken is null ? "not renewable" : "renewable")}";
}
