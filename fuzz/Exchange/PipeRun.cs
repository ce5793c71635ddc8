using System.IO.Pipelines;
using Microsoft.Extensions.Time.Testing;

namespace McpProxyFast.Fuzz.Exchange;

/// <summary>Plays a script over a host's in-memory pipes, one thing after another.</summary>
/// <param name="clock">The proxy's.</param>
/// <param name="proxy">The proxy, whose upstream is <see cref="Connect"/>.</param>
/// <param name="overStreams">The pipes that the proxy is given are over streams.</param>
internal sealed class PipeRun(FakeTimeProvider clock, McpProxy proxy, bool overStreams) : ExchangeRun(clock)
{
    private readonly PipePeer _client = new(overStreams);
    private readonly List<PipePeer> _upstreams = [];
    private Task _serving = Task.CompletedTask;

    public override ScriptedPeer Client => _client;

    public override IReadOnlyList<ScriptedPeer> Upstreams => _upstreams;

    protected override bool IsOver => _serving.IsCompleted;

    public IDuplexPipe Connect()
    {
        if (RefusesNext)
        {
            RefusesNext = false;
            throw new IOException("The upstream refuses the connection.");
        }

        var upstream = new PipePeer(overStreams);
        _upstreams.Add(upstream);
        return upstream.ProxySide;
    }

    /// <summary>What the heartbeat finds due runs on another thread, so this waits until all of it has been done.</summary>
    protected override void PassTime(TimeSpan time)
    {
        base.PassTime(time);
        SpinWait.SpinUntil(() => proxy.Wakes.IsIdle);
    }

    protected override void Begin() => _serving = proxy.ServeAsync(_client.ProxySide, new ClientConnectionInfo(), CancellationToken.None);
}
