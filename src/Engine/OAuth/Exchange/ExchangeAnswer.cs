using McpProxyFast.Outcomes;

namespace McpProxyFast.OAuth.Exchange;

/// <summary>How a token exchange ended. The list is closed.</summary>
internal enum ExchangeVerdict : byte
{
    /// <summary>A token was issued.</summary>
    Issued,

    /// <summary>The server does not accept the subject's token: <c>invalid_grant</c>.</summary>
    SubjectRefused,

    /// <summary>The subject has to sign in differently first: <c>interaction_required</c>, <c>insufficient_user_authentication</c>.</summary>
    StepUpNeeded,

    /// <summary>The server does not issue tokens for the target: <c>invalid_target</c>.</summary>
    TargetRefused,

    /// <summary>The server does not grant the scopes: <c>invalid_scope</c>.</summary>
    ScopeRefused,

    /// <summary>The subject is not allowed to have such a token: <c>access_denied</c>.</summary>
    Denied,

    /// <summary>The request or the client is refused; a setting of the proxy or the server has to change.</summary>
    Refused,

    /// <summary>The answer is not valid, or has no token that can be used.</summary>
    Unusable,

    /// <summary>There was no answer, or the server has a temporary failure.</summary>
    Unavailable,
}

/// <summary>The result of an exchange.</summary>
/// <param name="End">How the exchange ended.</param>
/// <param name="Message">What went wrong, for the log, without secrets; empty if a token was issued.</param>
internal sealed record ExchangeAnswer(ExchangeVerdict End, string Message)
{
    /// <summary>The new token; empty if none was issued.</summary>
    public string Token { get; init; } = "";

    /// <summary>When the new token was issued. Valid if a token was issued.</summary>
    public DateTimeOffset IssuedAt { get; init; }

    /// <summary>When the new token expires; an assumed time if the server did not say. Valid if a token was issued.</summary>
    public DateTimeOffset ExpiresAt { get; init; }

    /// <summary>How the subject must sign in again; null if no step-up is needed.</summary>
    public StepUpChallenge? StepUp { get; init; }

    /// <summary>The server's <c>Retry-After</c>; null if there was none.</summary>
    public TimeSpan? RetryAfter { get; init; }

    /// <summary>A description for logs: how the exchange ended, never the token.</summary>
    public override string ToString() => End.ToString();
}
