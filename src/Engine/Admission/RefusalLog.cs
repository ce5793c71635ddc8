using Microsoft.Extensions.Logging;

namespace McpProxyFast.Admission;

/// <summary>Writes down why tokens were refused, a few per second at most, so that a flood of bad tokens is no flood of log lines.</summary>
internal sealed class RefusalLog(ILogger logger, TimeProvider clock)
{
    private const int LinesPerSecond = 5;

    /// <summary>Guards the fields below.</summary>
    private readonly Lock _gate = new();

    /// <summary>The second that the counts below are about; 0 before the first refusal.</summary>
    private long _second;

    /// <summary>How many lines it was given, those beyond the bound included.</summary>
    private int _written;

    /// <summary>How many refusals were left out in it.</summary>
    private int _left;

    public void Write(TokenVerdict verdict)
    {
        if (verdict.Kind is TokenVerdictKind.Admitted || !logger.IsEnabled(LogLevel.Information))
        {
            return;
        }

        lock (_gate)
        {
            if (!MayWrite())
            {
                _left++;
                return;
            }
        }

        logger.LogInformation("Token refused: {Kind}, {Reason}.", verdict.Kind, verdict.Reason);
    }

    private bool MayWrite()
    {
        long second = clock.GetUtcNow().ToUnixTimeSeconds();
        if (second != _second)
        {
            if (_left > 0)
            {
                logger.LogInformation("{Count} more tokens were refused.", _left);
            }

            (_second, _written, _left) = (second, 0, 0);
        }

        return _written++ < LinesPerSecond;
    }
}
