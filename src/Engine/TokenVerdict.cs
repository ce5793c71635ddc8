namespace McpProxyFast;

/// <summary>The kinds of verdict. There are no others.</summary>
public enum TokenVerdictKind
{
    /// <summary>The token is valid; the request is served.</summary>
    Admitted,

    /// <summary>The token is refused: 401 <c>invalid_token</c> (RFC 6750 §3.1).</summary>
    InvalidToken,

    /// <summary>The token is valid, but lacks a required scope: 403 <c>insufficient_scope</c> (RFC 6750 §3.1).</summary>
    InsufficientScope,

    /// <summary>The token cannot be checked now, since the identity provider does not answer: 503 with <c>Retry-After</c>.</summary>
    Unavailable,
}

/// <summary>The result of checking one access token. Immutable: many connections read one verdict at the same time.</summary>
public sealed class TokenVerdict
{
    private TokenVerdict(TokenVerdictKind kind, string reason)
    {
        Kind = kind;
        Reason = reason;
    }

    /// <summary>The kind of verdict.</summary>
    public TokenVerdictKind Kind { get; }

    /// <summary>The caller: <c>sub</c>, otherwise <c>client_id</c>; null unless <see cref="TokenVerdictKind.Admitted"/>.</summary>
    public string? Caller { get; private init; }

    /// <summary>A code for logs, such as <c>expired</c>. Clients never get it.</summary>
    public string Reason { get; }

    /// <summary>Until when the same token gets this verdict without being checked again.</summary>
    /// <value>
    /// For a valid token its expiry, or earlier. A refusal is kept for at most 10 s, even if this time is later; <see cref="TokenVerdictKind.Unavailable"/> is
    /// not kept.
    /// </value>
    public DateTimeOffset ReusableUntil { get; private init; }

    /// <summary>When the token itself expires; null if that is not known, and for every verdict but <see cref="TokenVerdictKind.Admitted"/>.</summary>
    /// <value>A token that was obtained in exchange for this one (<see cref="TokenExchangePolicy"/>) is not used for longer.</value>
    public DateTimeOffset? TokenEndsAt { get; private init; }

    /// <summary>The <c>Retry-After</c> of <see cref="TokenVerdictKind.Unavailable"/>, in seconds; otherwise 0.</summary>
    public int RetryAfterSeconds { get; private init; }

    /// <summary>Accepts a token whose expiry is not known.</summary>
    /// <param name="caller">The caller's name: 1 to 256 printable characters.</param>
    /// <param name="reusableUntil">Until when the verdict may be used again. Must not be later than the token's own expiry.</param>
    /// <exception cref="ArgumentException"><paramref name="caller"/> is empty, too long, or holds a control character.</exception>
    public static TokenVerdict Admit(string caller, DateTimeOffset reusableUntil) => Admit(caller, reusableUntil, tokenEndsAt: null);

    /// <summary>Accepts a token whose expiry is known.</summary>
    /// <param name="caller">The caller's name: 1 to 256 printable characters.</param>
    /// <param name="reusableUntil">
    /// Until when the verdict may be used again. Later than <paramref name="tokenEndsAt"/> at most by the allowed clock difference.
    /// </param>
    /// <param name="tokenEndsAt">
    /// When the token itself expires; null if that is not known. It does not affect whether requests are served. But a token obtained in exchange for this one
    /// (<see cref="TokenExchangePolicy"/>) is not used for longer. If this is null, that token is used until its own expiry, or until the claim <c>exp</c> of
    /// this token.
    /// </param>
    /// <exception cref="ArgumentException"><paramref name="caller"/> is empty, too long, or holds a control character.</exception>
    public static TokenVerdict Admit(string caller, DateTimeOffset reusableUntil, DateTimeOffset? tokenEndsAt) =>
        IsCaller(caller)
            ? new(TokenVerdictKind.Admitted, "admitted") { Caller = caller, ReusableUntil = reusableUntil, TokenEndsAt = tokenEndsAt }
            : throw new ArgumentException("The caller must have 1 to 256 characters, all printable.", nameof(caller));

    /// <summary>Refuses the token.</summary>
    /// <param name="reason">A code for the log. It must not contain any part of the token.</param>
    /// <param name="reusableUntil">Until when the verdict may be used again, but never for longer than 10 s; null means 10 s.</param>
    public static TokenVerdict Invalid(string reason, DateTimeOffset? reusableUntil = null) =>
        new(TokenVerdictKind.InvalidToken, reason) { ReusableUntil = reusableUntil ?? DateTimeOffset.MaxValue };

    /// <summary>Refuses a valid token that lacks a required scope.</summary>
    public static TokenVerdict InsufficientScope() =>
        new(TokenVerdictKind.InsufficientScope, "insufficient-scope") { ReusableUntil = DateTimeOffset.MaxValue };

    /// <summary>Reports that the token cannot be checked now.</summary>
    /// <param name="reason">A code for the log.</param>
    /// <param name="retryAfterSeconds">After how many seconds the client may try again; at least 1.</param>
    public static TokenVerdict Unavailable(string reason, int retryAfterSeconds) =>
        new(TokenVerdictKind.Unavailable, reason) { RetryAfterSeconds = Math.Max(1, retryAfterSeconds) };

    /// <summary>Whether a text can be a caller's name: it is logged, so it must be short and printable.</summary>
    internal static bool IsCaller(string? text) => text is { Length: > 0 and <= 256 } && !text.Any(char.IsControl);
}
