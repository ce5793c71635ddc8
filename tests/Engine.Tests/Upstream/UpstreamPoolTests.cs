using System.IO.Pipelines;
using McpProxyFast.Engine.Tests.Support;
using McpProxyFast.Outcomes;
using McpProxyFast.Transport;
using McpProxyFast.Transport.Network;
using McpProxyFast.Upstream;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Time.Testing;

namespace McpProxyFast.Engine.Tests.Upstream;

public sealed class UpstreamPoolTests : IDisposable
{
    private readonly FakeTimeProvider _clock = new();
    private readonly Heartbeat _heartbeat;
    private readonly List<Pipe> _fromUpstream = [];
    private readonly ProxyMetrics _metrics = new(NullLogger.Instance, () => 0, observer: null, new HookFaults(NullLogger.Instance, TimeProvider.System), TimeProvider.System);
    private readonly UpstreamPool _pool;

    public UpstreamPoolTests()
    {
        _heartbeat = new Heartbeat(_clock);
        _pool = new UpstreamPool(
            (_, _) => ValueTask.FromResult(new ConnectResult(Connect(), FaultReason.None)),
            maxIdle: 2,
            idleTimeout: TimeSpan.FromSeconds(10),
            idleForOnce: TimeSpan.FromSeconds(4),
            maxAge: TimeSpan.FromSeconds(60),
            _heartbeat,
            _metrics);
    }

    public void Dispose()
    {
        _heartbeat.Dispose();
        _metrics.Dispose();
    }

    [Fact]
    public async Task NewestIdleConnectionIsTakenFirst()
    {
        UpstreamConnection first = await MakeAsync();
        _pool.Return(first);
        _clock.Advance(TimeSpan.FromSeconds(1));
        UpstreamConnection second = await MakeAsync();
        _pool.Return(second);

        Assert.Same(second, _pool.TryTake(null, maySendTwice: true));
        Assert.Same(first, _pool.TryTake(null, maySendTwice: true));
        Assert.Null(_pool.TryTake(null, maySendTwice: true));
        Assert.True(first.IsReused);
    }

    [Fact]
    public async Task ConnectionPastTheBoundIsClosed()
    {
        UpstreamConnection[] three = [await MakeAsync(), await MakeAsync(), await MakeAsync()];

        Array.ForEach(three, _pool.Return);

        Assert.True(await IsClosedAsync(2));
        Assert.NotNull(_pool.TryTake(null, maySendTwice: true));
        Assert.NotNull(_pool.TryTake(null, maySendTwice: true));
        Assert.Null(_pool.TryTake(null, maySendTwice: true));
    }

    [Fact]
    public async Task ConnectionThatEndsWhileIdleLeaves()
    {
        _pool.Return(await MakeAsync());

        await _fromUpstream[0].Writer.CompleteAsync();

        Assert.True(await IsClosedAsync(0));
        Assert.Null(_pool.TryTake(null, maySendTwice: true));
    }

    [Fact]
    public async Task ConnectionWithAnAnswerThatNobodyAskedForLeaves()
    {
        _pool.Return(await MakeAsync());

        await _fromUpstream[0].Writer.WriteAsync("HTTP/1.1 200 OK\r\n"u8.ToArray());

        Assert.True(await IsClosedAsync(0));
        Assert.Null(_pool.TryTake(null, maySendTwice: true));
    }

    [Fact]
    public async Task ConnectionThatIsIdleForTooLongLeaves()
    {
        _pool.Return(await MakeAsync());

        _clock.Advance(TimeSpan.FromSeconds(11));

        Assert.True(await IsClosedAsync(0));
        Assert.Null(_pool.TryTake(null, maySendTwice: true));
    }

    [Fact]
    public async Task RequestThatMustNotBeSentTwiceGetsAConnectionUsedLately()
    {
        UpstreamConnection made = await MakeAsync();
        _pool.Return(made);
        _clock.Advance(TimeSpan.FromSeconds(3.9));
        Assert.Same(made, _pool.TryTake(null, maySendTwice: false));
    }

    [Fact]
    public async Task RequestThatMustNotBeSentTwiceLeavesAnOlderConnectionToOthers()
    {
        UpstreamConnection old = await MakeAsync();
        _pool.Return(old);
        _clock.Advance(TimeSpan.FromSeconds(4));
        Assert.Null(_pool.TryTake(null, maySendTwice: false));
        Assert.Same(old, _pool.TryTake(null, maySendTwice: true));
    }

    /// <summary>Seconds that an upstream says; how long it may then be idle.</summary>
    [Theory]
    [InlineData(1, 0.5)]
    [InlineData(2, 1)]
    [InlineData(5, 4)]
    [InlineData(9, 8)]
    [InlineData(3600, 10)]
    public async Task WhatTheUpstreamSaysOfItsConnectionCountsLessAMargin(int seconds, double idle)
    {
        foreach (bool maySendTwice in (bool[])[true, false])
        {
            UpstreamConnection made = await MakeAsync();
            made.KeepFor(seconds);
            made.Hold(_heartbeat.Now);
            _clock.Advance(TimeSpan.FromSeconds(idle) - TimeSpan.FromMilliseconds(100));
            Assert.True(_pool.MayCarry(made, maySendTwice));
            _clock.Advance(TimeSpan.FromMilliseconds(100));
            Assert.False(_pool.MayCarry(made, maySendTwice));
            _clock.Advance(TimeSpan.FromMilliseconds(100));
            Assert.True(_pool.IsStale(made, _heartbeat.Now));
        }
    }

    [Fact]
    public async Task ConnectionThatTheUpstreamDoesNotKeepIsNeverUsedAgain()
    {
        UpstreamConnection made = await MakeAsync();
        made.KeepFor(0);
        made.Hold(_heartbeat.Now);
        Assert.False(_pool.MayCarry(made, maySendTwice: true));
    }

    /// <summary>Whoever keeps it: that a client has left makes it no younger.</summary>
    [Fact]
    public async Task ConnectionOfAClientThatHasLeftIsAsIdleAsItWas()
    {
        UpstreamConnection made = await MakeAsync();
        made.Hold(_heartbeat.Now);
        _clock.Advance(TimeSpan.FromSeconds(3));
        Assert.True(made.TryTake());
        _pool.Return(made);
        _clock.Advance(TimeSpan.FromSeconds(1));
        Assert.Null(_pool.TryTake(null, maySendTwice: false));
    }

    [Fact]
    public async Task ConnectionThatIsTooOldIsNotKept()
    {
        UpstreamConnection old = await MakeAsync();
        _clock.Advance(TimeSpan.FromSeconds(61));

        _pool.Return(old);

        Assert.True(await IsClosedAsync(0));
        Assert.Null(_pool.TryTake(null, maySendTwice: true));
    }

    [Fact]
    public async Task HeldConnectionThatEndedCannotBeTaken()
    {
        UpstreamConnection held = await MakeAsync();
        held.Hold(_heartbeat.Now);

        await _fromUpstream[0].Writer.CompleteAsync();

        await Patience.UntilAsync(() => !held.IsIdle);
        Assert.False(held.TryTake());
    }

    /// <summary>The end comes while the watch is being set: then its owner alone closes it, and it is never taken.</summary>
    [Fact]
    public async Task ConnectionThatHasEndedWhenItIsGivenBackIsClosedByItsOwner()
    {
        UpstreamConnection ended = await MakeAsync();
        await _fromUpstream[0].Writer.CompleteAsync();
        await Patience.UntilAsync(() => ended.Transport.Input.PeerEnded);

        _pool.Return(ended);

        Assert.True(ended.IsDead);
        await ended.Transport.Closed.Soon();
        Assert.Null(_pool.TryTake(null, maySendTwice: true));
    }

    /// <summary>Heartbeat, end and client race for idle connections; each connection has one taker or is closed, never both.</summary>
    [Fact]
    public async Task IdleConnectionIsTakenOrClosedWhateverComesAtOnce()
    {
        for (int i = 0; i < 200; i++)
        {
            UpstreamConnection one = await MakeAsync();
            PipeWriter from = _fromUpstream[i].Writer;
            using var start = new Barrier(3);
            Task<UpstreamConnection?> taking = Task.Run(() =>
            {
                start.SignalAndWait();
                return _pool.TryTake(null, maySendTwice: true);
            });
            Task ending = Task.Run(() =>
            {
                start.SignalAndWait();
                from.Complete();
            });
            Task resting = Task.Run(() =>
            {
                start.SignalAndWait();
                _pool.Return(one);
                _pool.Clear();
            });

            await Task.WhenAll(taking, ending, resting).Soon();
            (await taking)?.Transport.Close(reset: false);
            _pool.Clear();
            await one.Transport.Closed.Soon();
        }
    }

    [Fact]
    public async Task ClearClosesEveryIdleConnection()
    {
        _pool.Return(await MakeAsync());
        _pool.Return(await MakeAsync());

        _pool.Clear();

        Assert.True(await IsClosedAsync(0) && await IsClosedAsync(1));
        Assert.Null(_pool.TryTake(null, maySendTwice: true));
    }

    private async Task<UpstreamConnection> MakeAsync() => (await _pool.ConnectAsync(null, CancellationToken.None)).Connection!;

    private Connection Connect()
    {
        var inline = new PipeOptions(readerScheduler: PipeScheduler.Inline, writerScheduler: PipeScheduler.Inline, useSynchronizationContext: false);
        var from = new Pipe(inline);
        _fromUpstream.Add(from);
        return NetworkStack.Over(new Duplex(from.Reader, new Pipe(inline).Writer), null);
    }

    /// <summary>Waits until the proxy's side has been given back: its reader is complete. What the heartbeat ends is given back on another thread.</summary>
    private async Task<bool> IsClosedAsync(int index)
    {
        try
        {
            await Patience.UntilAsync(async () => (await _fromUpstream[index].Writer.FlushAsync().Soon()).IsCompleted, "It is not closed.");
            return true;
        }
        catch (InvalidOperationException)
        {
            // The test has completed this writer itself; whether the other side is closed shows in the pool.
            return true;
        }
    }

    private sealed record Duplex(PipeReader Input, PipeWriter Output) : IDuplexPipe;
}
