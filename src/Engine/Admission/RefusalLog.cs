using Microsoft.Extensions.Logging;

namespace McpProxyFast.Admission;

/// <summary>Writes down why tokens were refused, a few per second at most, so that a flood of bad tokens is no flood of log lines.</summary>
internal sealed class RefusalLog(ILogger logger, TimeProvider clock)
{
    private const int LinesPerSecond = 5;

    private readonly Lock _gate = new();
    private long _second;
    private int _written;
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
