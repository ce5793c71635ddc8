using System.Collections.Concurrent;

namespace McpProxyFast.Soak.Network;

/// <summary>When the upstream was away, in milliseconds of <see cref="Environment.TickCount64"/>.</summary>
internal sealed class Outages
{
    private const int Margin = 300;
    private readonly ConcurrentQueue<(long From, long To)> _all = new();
    private long _from = long.MaxValue;

    public void Begin() => Volatile.Write(ref _from, Environment.TickCount64);

    public void End()
    {
        _all.Enqueue((_from, Environment.TickCount64));
        Volatile.Write(ref _from, long.MaxValue);
    }

    /// <summary>Whether the upstream was away at some time between the two, or shortly before or after.</summary>
    public bool Touch(long from, long to) =>
        to >= Volatile.Read(ref _from) - Margin || _all.Any(outage => from <= outage.To + Margin && to >= outage.From - Margin);
}
