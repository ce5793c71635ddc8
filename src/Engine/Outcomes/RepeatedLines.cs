using System.Diagnostics;
using Microsoft.Extensions.Logging;

namespace McpProxyFast.Outcomes;

/// <summary>The one rule for lines that could come often: the first of a reason is written, those that follow are counted, and the count is written.</summary>
/// <remarks>
/// A reason that has been quiet for <see cref="Interval"/> is written in full again. One that goes on costs one line per interval, whatever its rate. To
/// suppress a line allocates nothing; nothing of this is on the way of a request that is answered.
/// </remarks>
/// <param name="logger">Takes the counts; also asked whether a level is on.</param>
/// <param name="clock">Measures the interval.</param>
internal sealed class RepeatedLines(ILogger logger, TimeProvider clock)
{
    /// <summary>How often the count of a reason is written, and how long a reason must be quiet to be written in full again.</summary>
    public static readonly TimeSpan Interval = TimeSpan.FromSeconds(10);

    /// <summary>Most reasons told apart at a time. Further ones share a count.</summary>
    public const int MaxReasons = 256;

    private static readonly (string, string) Others = ("other messages", "");

    /// <summary>Takes the counts, which a timer writes: what a logger throws there would end the process. Never changes.</summary>
    private readonly ILogger _logger = GuardedLogger.Around(logger);

    /// <summary>Guards everything below.</summary>
    private readonly Lock _counting = new();

    /// <summary>The reasons that came within the last interval or two.</summary>
    private readonly Dictionary<(string What, string Reason), Count> _counts = [];

    /// <summary>The counts are looked at after each interval, which goes on until there are none.</summary>
    private bool _isWatching;

    /// <summary>Ends one interval at a time; null before the first.</summary>
    private ITimer? _timer;

    /// <summary>Whether a line may be written now; if not, it has been counted.</summary>
    /// <param name="level">The level of the line. If it is off, the answer is false.</param>
    /// <param name="what">What happened: a stable word, not a peer's.</param>
    /// <param name="reason">Why it happened, also a stable word; empty if <paramref name="what"/> says enough.</param>
    public bool MayWrite(LogLevel level, string what, string reason = "")
    {
        if (!_logger.IsEnabled(level))
        {
            return false;
        }

        lock (_counting)
        {
            if (TryCount((what, reason)) || (_counts.Count >= MaxReasons && TryCount(Others)))
            {
                return false;
            }

            _counts.Add(_counts.Count < MaxReasons ? (what, reason) : Others, new Count { Level = level, Since = clock.GetTimestamp() });
            if (!_isWatching)
            {
                _isWatching = true;
                StartInterval();
            }

            return true;
        }
    }

    /// <summary>Writes the counts that have not been written yet: nothing more will come.</summary>
    public void Finish()
    {
        foreach ((string what, Count count, long more) in Take(isEnd: true))
        {
            Write(what, count.Level, more, clock.GetElapsedTime(count.Since));
        }
    }

    private bool TryCount((string What, string Reason) key)
    {
        if (!_counts.TryGetValue(key, out Count? count))
        {
            return false;
        }

        count.More++;
        return true;
    }

    /// <summary>An interval is over.</summary>
    private void OnInterval()
    {
        foreach ((string what, Count count, long more) in Take(isEnd: false))
        {
            Write(what, count.Level, more, clock.GetElapsedTime(count.Since));
            count.Since = clock.GetTimestamp();
        }

        lock (_counting)
        {
            if (_counts.Count == 0)
            {
                _isWatching = false;
            }
            else
            {
                StartInterval();
            }
        }
    }

    private void StartInterval()
    {
        _timer ??= clock.CreateTimer(static lines => ((RepeatedLines)lines!).OnInterval(), this, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
        _timer.Change(Interval, Timeout.InfiniteTimeSpan);
    }

    /// <summary>Takes the counts that are due, and forgets the reasons that have been quiet.</summary>
    private List<(string What, Count Count, long More)> Take(bool isEnd)
    {
        List<(string, Count, long)> due = [];
        lock (_counting)
        {
            foreach (((string what, string reason) key, Count count) in _counts)
            {
                if (!isEnd && clock.GetElapsedTime(count.Since) < Interval)
                {
                    continue; // it began after the interval did
                }

                if (count.More > 0)
                {
                    due.Add((key.reason.Length == 0 ? key.what : $"{key.what} {key.reason}", count, count.More));
                    count.More = 0;
                }
                else
                {
                    _counts.Remove(key);
                }
            }
        }

        return due;
    }

    private void Write(string what, LogLevel level, long more, TimeSpan elapsed)
    {
        Debug.Assert(more > 0, "Only what was suppressed is counted.");
        _logger.Repeated(level, what, more, (long)Math.Ceiling(elapsed.TotalSeconds));
    }

    private sealed class Count
    {
        public LogLevel Level { get; init; }

        /// <summary>When it was last written, in full or as a count.</summary>
        public long Since { get; set; }

        /// <summary>How many have been suppressed since.</summary>
        public long More { get; set; }
    }
}
