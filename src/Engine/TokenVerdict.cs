namespace McpProxyFast;

/// <summary>The kinds of <see cref="TokenVerdict"/>.</summary>
public enum TokenVerdictKind
{
    /// <summary>The token is valid; the request is served.</summary>
    Admitted,

    /// <summary>The token is refused: 401 <c>invalid_token</c> (RFC 6750 §3.1).</summary>
    InvalidToken,

    /// <summary>The token is valid, but lacks a required scope: 403 <c>insufficient_scope</c> (RFC 6750 §3.1).</summary>
    InsufficientScope,

    /// <summary>The token cannot be checked now, for example because the identity provider does not answer: 503 with <c>Retry-After</c>.</summary>
    Unavailable,
}

/// <summary>The result of the check of one access token. Immutable, since many connections may read the same verdict at the same time.</summary>
public sealed class TokenVerdict
{
    private TokenVerdict(TokenVerdictKind kind, string reason)
    {
        Kind = kind;
        Reason = reason;
    }

    /// <summary>The kind of verdict.</summary>
    public TokenVerdictKind Kind { get; }

    /// <summary>
    /// The caller's name: the claim <c>sub</c>, or <c>client_id</c> if there is no <c>sub</c>. Null unless the kind is <see cref="TokenVerdictKind.Admitted"/>.
    /// </summary>
    public string? Caller { get; private init; }

    /// <summary>A code for logs, such as <c>expired</c>. Clients never get it.</summary>
    public string Reason { get; }

    /// <summary>Until when the proxy uses this verdict for the same token without another check.</summary>
    /// <value>
    /// For a valid token, the token's expiry (plus the allowed clock difference) or an earlier time. A refusal is used for at most 10 s, even if this time is
    /// later. <see cref="TokenVerdictKind.Unavailable"/> is not used again.
    /// </value>
    public DateTimeOffset ReusableUntil { get; private init; }

    /// <summary>When the token itself expires; null if this is not known, or the kind is not <see cref="TokenVerdictKind.Admitted"/>.</summary>
    /// <value>A token that was obtained in exchange for this token (<see cref="TokenExchangePolicy"/>) is not used after this time.</value>
    public DateTimeOffset? TokenEndsAt { get; private init; }

    /// <summary>The <c>Retry-After</c> of the 503, in seconds; 0 unless the kind is <see cref="TokenVerdictKind.Unavailable"/>.</summary>
    public int RetryAfterSeconds { get; private init; }

    /// <summary>Accepts a token whose expiry is not known.</summary>
    /// <param name="caller">The caller's name: 1 to 256 printable characters.</param>
    /// <param name="reusableUntil">Until when the verdict may be used again. Must not be later than the token's own expiry.</param>
    /// <exception cref="ArgumentException"><paramref name="caller"/> is empty, too long, or holds a control character.</exception>
    public static TokenVerdict Admit(string caller, DateTimeOffset reusableUntil) => Admit(caller, reusableUntil, tokenEndsAt: null);

    /// <summary>Accepts a token and states when it expires.</summary>
    /// <param name="caller">The caller's name: 1 to 256 printable characters.</param>
    /// <param name="reusableUntil">
    /// Until when the verdict may be used again. It may be later than <paramref name="tokenEndsAt"/>, but only by the allowed clock difference.
    /// </param>
    /// <param name="tokenEndsAt">
    /// When the token itself expires; null if this is not known. It matters only for a token that is obtained in exchange for this token
    /// (<see cref="TokenExchangePolicy"/>): the new token is not used after this time. If null, the new token is used until its own expiry, but not after the
    /// <c>exp</c> of this token if it is a JWT.
    /// </param>
    /// <exception cref="ArgumentException"><paramref name="caller"/> is empty, too long, or holds a control character.</exception>
    public static TokenVerdict Admit(string caller, DateTimeOffset reusableUntil, DateTimeOffset? tokenEndsAt) =>
        IsCaller(caller)
            ? new(TokenVerdictKind.Admitted, "admitted") { Caller = caller, ReusableUntil = reusableUntil, TokenEndsAt = tokenEndsAt }
            : throw new ArgumentException("The caller must have 1 to 256 characters, all printable.", nameof(caller));

    /// <summary>Refuses the token.</summary>
    /// <param name="reason">A code for the log. It must not contain any part of the token.</param>
    /// <param name="reusableUntil">Until when the verdict may be used again. It is used for at most 10 s; null means 10 s.</param>
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

    /// <summary>Whether a text can be a caller's name: 1 to 256 characters and no control characters, since host programs log it.</summary>
    internal static bool IsCaller(string? text) => text is { Length: > 0 and <= 256 } && !text.Any(char.IsControl);
}
