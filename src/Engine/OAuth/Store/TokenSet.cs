namespace McpProxyFast.OAuth.Store;

/// <summary>What a token endpoint has issued.</summary>
internal sealed record TokenSet
{
    public required string AccessToken { get; init; }

    /// <summary><c>Bearer</c> or <c>DPoP</c>.</summary>
    public required string TokenType { get; init; }

    public string? RefreshToken { get; init; }

    /// <summary>The last renewal did not replace the refresh token, so it may be sent again if no answer came.</summary>
    public bool IsRefreshTokenLasting { get; init; }

    /// <summary>The scopes that were granted, if the server said them.</summary>
    public string? Scope { get; init; }

    public required DateTimeOffset IssuedAt { get; init; }

    /// <summary>When the access token ends, or null if the server did not say.</summary>
    public DateTimeOffset? ExpiresAt { get; init; }

    /// <summary>
    /// Who signed in, as the server says it: of a sign-in that asked for <c>openid</c>, and only if it has been checked; null otherwise. It is sent only to
    /// be exchanged.
    /// </summary>
    public string? IdToken { get; init; }

    /// <summary>Says what this is about, without a secret.</summary>
    public override string ToString() =>
        $"{TokenType}, until {ExpiresAt?.ToString("u") ?? "unknown"}, {(RefreshToken is null ? "not renewable" : "renewable")}";
}
