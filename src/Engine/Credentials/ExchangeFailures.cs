using System.Diagnostics;
using McpProxyFast.OAuth.Exchange;
using McpProxyFast.Outcomes;
using McpProxyFast.Tokens;
using Microsoft.Extensions.Logging;

namespace McpProxyFast.Credentials;

/// <summary>What a failed exchange means for the request that waits for it, and for the log.</summary>
/// <param name="isCallers">Whether it was the caller's token: then it is the caller who has to act.</param>
/// <param name="endpoint">Where tokens are exchanged, for the log.</param>
/// <param name="logger">Told of failures.</param>
/// <param name="clock">Spaces what is told.</param>
internal sealed class ExchangeFailures(bool isCallers, string endpoint, ILogger logger, TimeProvider clock)
{
    /// <summary>The code where the token of the proxy's own login is not taken.</summary>
    public const string LoginRefused = "exchange-login-refused";

    private static readonly TimeSpan RetryAfter = TimeSpan.FromSeconds(5);

    private readonly RepeatedLines _lines = new(logger, clock);

    /// <summary>A stable word for logs and counters.</summary>
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

    /// <summary>Tells the log, and says what becomes of the request.</summary>
    public CredentialResult Tell(in TokenDigest digest, ExchangeAnswer answer)
    {
        // What a caller's token lacks is the caller's affair; everything else is the operator's.
        bool isUsual = isCallers && answer.End is ExchangeVerdict.SubjectRefused or ExchangeVerdict.StepUpNeeded or ExchangeVerdict.Denied;
        LogLevel level = isUsual ? LogLevel.Information : LogLevel.Warning;
        if (_lines.MayWrite(level, "token exchanges failed:", NameOf(answer.End)))
        {
            logger.TokenNotExchanged(level, endpoint, NameOf(answer.End), answer.Message, digest.ToString());
        }

        return ResultOf(answer);
    }

    private CredentialResult ResultOf(ExchangeAnswer answer) => answer.End switch
    {
        ExchangeVerdict.SubjectRefused when isCallers => CredentialResult.Refused(RefusalReason.SubjectRefused),
        ExchangeVerdict.StepUpNeeded when isCallers => CredentialResult.Refused(RefusalReason.StepUpNeeded, answer.StepUp),
        ExchangeVerdict.SubjectRefused or ExchangeVerdict.StepUpNeeded => CredentialResult.Unavailable(
            TimeSpan.FromSeconds(30),
            LoginRefused,
            "The authorization server does not take the proxy's own sign-in for an exchange; its operator has to sign in again."),
        ExchangeVerdict.ScopeRefused => CredentialResult.Refused(RefusalReason.ScopeNotGranted),
        ExchangeVerdict.Denied => CredentialResult.Refused(RefusalReason.ExchangeDenied),
        ExchangeVerdict.TargetRefused => CredentialResult.Failed(FaultReason.ExchangeTargetRefused),
        ExchangeVerdict.Refused => CredentialResult.Failed(FaultReason.ExchangeRefused),
        ExchangeVerdict.Unusable => CredentialResult.Failed(FaultReason.ExchangeAnswerUnusable),
        ExchangeVerdict.Unavailable => CredentialResult.Failed(FaultReason.ExchangeUnavailable, answer.RetryAfter ?? RetryAfter),
        _ => throw new UnreachableException(),
    };
}
