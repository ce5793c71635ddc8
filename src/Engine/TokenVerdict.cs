namespace McpProxyFast;

/// <summary>The kinds of verdict; the list is closed.</summary>
public enum TokenVerdictKind
{
    /// <summary>The caller may come in.</summary>
    Admitted,

    /// <summary>The token is refused: 401 <c>invalid_token</c> (RFC 6750 §3.1).</summary>
    InvalidToken,

    /// <summary>The token is good, but lacks a required scope: 403 <c>insufficient_scope</c> (RFC 6750 §3.1).</summary>
    InsufficientScope,

    /// <summary>No verdict is possible now, since the identity provider does not answer: 503 with <c>Retry-After</c>.</summary>
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

    /// <summary>Which of the four it is.</summary>
    public TokenVerdictKind Kind { get; }

    /// <summary>Who came in (<c>sub</c>, else <c>client_id</c>); null unless <see cref="TokenVerdictKind.Admitted"/>.</summary>
    public string? Caller { get; private init; }

    /// <summary>A stable code for logs, such as <c>expired</c>. Clients are never told it.</summary>
    public string Reason { get; }

    /// <summary>Until when the same token gets this verdict without being looked at again.</summary>
    /// <value>For an admitted token its expiry, or earlier. A refusal is kept for 10 s at most, whatever stands here; <see
    /// cref="TokenVerdictKind.Unavailable"/> is not kept.</value>
    public DateTimeOffset ReusableUntil { get; private init; }

    /// <summary>When the token itself ends; null if that is not known, and for every verdict but <see cref="TokenVerdictKind.Admitted"/>.</summary>
    /// <value>What is exchanged for the token (<see cref="TokenExchangePolicy"/>) is not used for longer.</value>
    public DateTimeOffset? TokenEndsAt { get; private init; }

    /// <summary>The <c>Retry-After</c> of <see cref="TokenVerdictKind.Unavailable"/>, in seconds; else 0.</summary>
    public int RetryAfterSeconds { get; private init; }

    /// <summary>Lets the caller in with a token whose end is not known.</summary>
    /// <param name="caller">Who it is; printable, 1 to 256 characters.</param>
    /// <param name="reusableUntil">Never later than the token's own expiry.</param>
    /// <exception cref="ArgumentException"><paramref name="caller"/> is empty, too long, or holds a control character.</exception>
    public static TokenVerdict Admit(string caller, DateTimeOffset reusableUntil) => Admit(caller, reusableUntil, tokenEndsAt: null);

    /// <summary>Lets the caller in with a token whose end is known.</summary>
    /// <param name="caller">Who it is; printable, 1 to 256 characters.</param>
    /// <param name="reusableUntil">Never later than <paramref name="tokenEndsAt"/>, but for what clocks may differ by.</param>
    /// <param name="tokenEndsAt">
    /// When the token itself ends; null if that is not known. It says nothing about who may come in, but what is exchanged for the token
    /// (<see cref="TokenExchangePolicy"/>) is not used for longer. Without it that is used until its own end, or that of the token's claim <c>exp</c>.
    /// </param>
    /// <exception cref="ArgumentException"><paramref name="caller"/> is empty, too long, or holds a control character.</exception>
    public static TokenVerdict Admit(string caller, DateTimeOffset reusableUntil, DateTimeOffset? tokenEndsAt) =>
        IsCaller(caller)
            ? new(TokenVerdictKind.Admitted, "admitted") { Caller = caller, ReusableUntil = reusableUntil, TokenEndsAt = tokenEndsAt }
            : throw new ArgumentException("A caller is 1 to 256 printable characters.", nameof(caller));

    /// <summary>Refuses the token.</summary>
    /// <param name="reason">A code for the log; nothing of the token.</param>
    /// <param name="reusableUntil">When the answer could change; default: not before 10 s have passed.</param>
    public static TokenVerdict Invalid(string reason, DateTimeOffset? reusableUntil = null) =>
        new(TokenVerdictKind.InvalidToken, reason) { ReusableUntil = reusableUntil ?? DateTimeOffset.MaxValue };

    /// <summary>Refuses a good token that lacks a required scope.</summary>
    public static TokenVerdict InsufficientScope() =>
        new(TokenVerdictKind.InsufficientScope, "insufficient-scope") { ReusableUntil = DateTimeOffset.MaxValue };

    /// <summary>Says that no verdict is possible now.</summary>
    /// <param name="reason">A code for the log.</param>
    /// <param name="retryAfterSeconds">When to ask again, in seconds from now; at least 1.</param>
    public static TokenVerdict Unavailable(string reason, int retryAfterSeconds) =>
        new(TokenVerdictKind.Unavailable, reason) { RetryAfterSeconds = Math.Max(1, retryAfterSeconds) };

    /// <summary>Whether the text can stand as a caller: logs carry it, so it is short and printable.</summary>
    internal static bool IsCaller(string? text) => text is { Length: > 0 and <= 256 } && !text.Any(char.IsControl);
}
