using McpProxyFast.EndToEnd.Measuring;
using McpProxyFast.EndToEnd.Wire;

namespace McpProxyFast.EndToEnd.Roles.Load;

/// <summary>Counts units and their latencies within the measured window, and nothing outside of it.</summary>
internal sealed class Recorder
{
    private long _from = long.MaxValue;
    private long _to = long.MaxValue;

    public long Units { get; private set; }

    public LatencySamples Latencies { get; } = new();

    public void StartWindow() => _from = Clock.Now;

    /// <summary>Ends the window; answers to what was due within it still give their latency.</summary>
    public double EndWindow()
    {
        _to = Clock.Now;
        return (_to - _from) / (double)Clock.Second;
    }

    /// <summary>Records a unit that was due at <paramref name="dueAt"/> and has just been completed.</summary>
    public void Completed(long dueAt)
    {
        long now = Clock.Now;
        if (now >= _from && now < _to)
        {
            Units++;
        }

        if (dueAt >= _from && dueAt < _to)
        {
            Latencies.Add(now - dueAt);
        }
    }
}
