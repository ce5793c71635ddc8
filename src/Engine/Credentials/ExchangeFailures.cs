using System.Diagnostics;
using McpProxyFast.OAuth.Exchange;
using McpProxyFast.Outcomes;
using McpProxyFast.Tokens;
using Microsoft.Extensions.Logging;

namespace McpProxyFast.Credentials;

/// <summary>Decides how a request is answered after its token exchange has failed, and logs the failure.</summary>
/// <param name="isCallers">Whether the tokens of callers are sent to be exchanged. If such a token is refused, the caller must act, not the operator.</param>
/// <param name="endpoint">The URL of the token endpoint, for the log.</param>
/// <param name="logger">Logs failures.</param>
/// <param name="clock">Measures the time between log lines.</param>
internal sealed class ExchangeFailures(bool isCallers, string endpoint, ILogger logger, TimeProvider clock)
{
    /// <summary>The error code if the authorization server does not accept the token of the proxy's own sign-in.</summary>
    public const string LoginRefused = "exchange-login-refused";

    /// <summary>The reason in the log if an exchange could not start because too many were waiting, or it has waited too long.</summary>
    private const string NoTurn = "no-turn";

    private static readonly TimeSpan RetryAfter = TimeSpan.FromSeconds(5);

    /// <summary>Limits how often a line with the same reason is logged. Never changes.</summary>
    private readonly RepeatedLines _lines = new(logger, clock);

    /// <summary>Returns a stable name for an exchange's result, for logs and counters.</summary>
    public static string NameOf(ExchangeVerdict end) => end switch
    {
        ExchangeVerdict.Issued => "issued",
        ExchangeVerdict.SubjectRefused => "subject-refused",
        ExchangeVerdict.StepUpNeeded => "step-up-needed",
        ExchangeVerdict.TargetRefused => "target-refused",
        ExchangeVerdict.ScopeRefused => "scope-refused",
        ExchangeVerdict.Denied => "denied",
        ExchangeVerdict.Refused => "refused",
        ExchangeVerdict.Unusable => "unusable",
        ExchangeVerdict.Unavailable => "unavailable",
        _ => throw new UnreachableException(),
    };

    /// <summary>Logs a failed exchange and returns the answer to the request.</summary>
    public CredentialResult Tell(in TokenDigest digest, ExchangeAnswer answer)
    {
        // It is normal that the server refuses a caller's token. All other failures need the operator.
        bool isUsual = isCallers && answer.End is ExchangeVerdict.SubjectRefused or ExchangeVerdict.StepUpNeeded or ExchangeVerdict.Denied;
        LogLevel level = isUsual ? LogLevel.Information : LogLevel.Warning;
        if (_lines.MayWrite(level, "token exchanges failed:", NameOf(answer.End)))
        {
            logger.TokenNotExchanged(level, endpoint, NameOf(answer.End), answer.Message, digest.ToString());
        }

        return ResultOf(answer);
    }

    /// <summary>
    /// Logs that an exchange could not start, because too many were waiting or it has waited too long, and returns the answer to the request.
    /// </summary>
    public CredentialResult TellNoTurn(in TokenDigest digest)
    {
        if (_lines.MayWrite(LogLevel.Warning, "token exchanges failed:", NoTurn))
        {
            string why = $"{ExchangeCache.MaxExchanges} exchanges are in progress, which is the maximum, and the queue for the next ones is full or too slow.";
            logger.TokenNotExchanged(LogLevel.Warning, endpoint, NoTurn, why, digest.ToString());
        }

        return CredentialResult.Failed(FaultReason.ExchangeUnavailable, RetryAfter);
    }

    private CredentialResult ResultOf(ExchangeAnswer answer) => answer.End switch
    {
        ExchangeVerdict.SubjectRefused when isCallers => CredentialResult.Refused(RefusalReason.SubjectRefused),
        ExchangeVerdict.StepUpNeeded when isCallers => CredentialResult.Refused(RefusalReason.StepUpNeeded, answer.StepUp),
        ExchangeVerdict.SubjectRefused or ExchangeVerdict.StepUpNeeded => CredentialResult.Unavailable(
            TimeSpan.FromSeconds(30),
            LoginRefused,
            "The authorization server does not accept the token of the proxy's own sign-in for an exchange; the proxy's operator has to sign in again."),
        ExchangeVerdict.ScopeRefused => CredentialResult.Refused(RefusalReason.ScopeNotGranted),
        ExchangeVerdict.Denied => CredentialResult.Refused(RefusalReason.ExchangeDenied),
        ExchangeVerdict.TargetRefused => CredentialResult.Failed(FaultReason.ExchangeTargetRefused),
        ExchangeVerdict.Refused => CredentialResult.Failed(FaultReason.ExchangeRefused),
        ExchangeVerdict.Unusable => CredentialResult.Failed(FaultReason.ExchangeAnswerUnusable),
        ExchangeVerdict.Unavailable => CredentialResult.Failed(FaultReason.ExchangeUnavailable, answer.RetryAfter ?? RetryAfter),
        _ => throw new UnreachableException(),
    };
}
