using McpProxyFast.EndToEnd.Measuring;
using McpProxyFast.EndToEnd.Wire;

namespace McpProxyFast.EndToEnd.Roles.Load;

/// <summary>Counts units and their latencies within the measured window, and nothing outside of it.</summary>
/// <param name="countsLateAnswers">
/// Whether what was due within the window counts even if it is completed after it. At a fixed rate it has to, or a stall at the
/// window's end would go unseen; in a closed loop these are simply the last requests, held up by reading <c>/proc</c>.
/// </param>
internal sealed class Recorder(bool countsLateAnswers = false)
{
    private long _from = long.MaxValue;
    private long _to = long.MaxValue;

    /// <summary>Units completed within the window.</summary>
    public long Units { get; private set; }

    /// <summary>Units completed at any time.</summary>
    public long Total { get; private set; }

    public LatencySamples Latencies { get; } = new();

    public void StartWindow() => _from = Clock.Now;

    /// <summary>Ends the window and returns its length in seconds.</summary>
    public double EndWindow()
    {
        _to = Clock.Now;
        return (_to - _from) / (double)Clock.Second;
    }

    /// <summary>Records a unit that was due at <paramref name="dueAt"/> and has just been completed.</summary>
    public void Completed(long dueAt)
    {
        long now = Clock.Now;
        Total++;
        bool isInTime = now >= _from && now < _to;
        if (isInTime)
        {
            Units++;
        }

        if (dueAt >= _from && (isInTime || (countsLateAnswers && dueAt < _to)))
        {
            Latencies.Add(now - dueAt);
        }
    }
}
