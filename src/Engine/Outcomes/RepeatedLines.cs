using System.Diagnostics;
using Microsoft.Extensions.Logging;

namespace McpProxyFast.Outcomes;

/// <summary>
/// Limits log lines that could come often. The first line with a reason is written. Later lines with the same reason are counted, and their number is written
/// at intervals.
/// </summary>
/// <remarks>
/// So a reason causes at most one line per <see cref="Interval"/>. If a reason does not occur during an interval, its next line is written in full again. A
/// line that is only counted allocates nothing. A request that is answered normally does not use this class.
/// </remarks>
/// <param name="logger">Logs the counts; is also asked whether a level is enabled.</param>
/// <param name="clock">Measures the interval.</param>
internal sealed class RepeatedLines(ILogger logger, TimeProvider clock)
{
    /// <summary>
    /// The time between two lines with the count of a reason. If a reason does not occur during this time, its next line is written in full again.
    /// </summary>
    public static readonly TimeSpan Interval = TimeSpan.FromSeconds(10);

    /// <summary>The maximum number of reasons that are counted separately. All further reasons share one count.</summary>
    public const int MaxReasons = 256;

    private static readonly (string, string) Others = ("other messages", "");

    /// <summary>
    /// Logs the counts. The wrapper catches exceptions of the host program's logger, which would end the process here, on a timer. Never changes.
    /// </summary>
    private readonly ILogger _logger = GuardedLogger.Around(logger);

    /// <summary>Guards the fields below.</summary>
    private readonly Lock _counting = new();

    /// <summary>The reasons that were counted within the last one or two intervals, each with its count.</summary>
    private readonly Dictionary<(string What, string Reason), Count> _counts = [];

    /// <summary>Whether the timer runs. It runs while <c>_counts</c> has entries.</summary>
    private bool _isWatching;

    /// <summary>The timer, which fires at the end of an interval; null before the first interval.</summary>
    private ITimer? _timer;

    /// <summary>Decides whether the caller may write a line now. If not, this method counts the line.</summary>
    /// <param name="level">The level of the line. If the level is off, the result is false, and the line is not counted.</param>
    /// <param name="what">What happened: a fixed text, never text from a peer.</param>
    /// <param name="reason">Why it happened: a code or the name of a type, never text from a peer. Empty if <paramref name="what"/> says enough.</param>
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

    /// <summary>Writes the counts that have not been written yet. Called at the end, when no more lines will come.</summary>
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

    /// <summary>Called by the timer at the end of an interval.</summary>
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

    /// <summary>Returns the counts that must be written now and resets them. Removes the reasons that were not counted during the last interval.</summary>
    private List<(string What, Count Count, long More)> Take(bool isEnd)
    {
        List<(string, Count, long)> due = [];
        lock (_counting)
        {
            foreach (((string what, string reason) key, Count count) in _counts)
            {
                if (!isEnd && clock.GetElapsedTime(count.Since) < Interval)
                {
                    continue; // this reason's own interval is not over yet
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

        /// <summary>When the reason was last written, in full or as a count.</summary>
        public long Since { get; set; }

        /// <summary>How many lines with the reason have been counted since <see cref="Since"/>, and not written.</summary>
        public long More { get; set; }
    }
}
