using McpProxyFast.Wire.Tests.Support;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Time.Testing;

namespace McpProxyFast.Wire.Tests.Hosts;

/// <summary>A host's code that blocks holds up the exchange that called it. Time limits of other connections, and a stop, do not wait for it.</summary>
public sealed class BlockingHostTests : IDisposable
{
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(7);
    private static readonly TimeSpan Long = TimeSpan.FromHours(1);

    private readonly ManualResetEventSlim _goesOn = new();
    private readonly TaskCompletionSource _isBlocked = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public void Dispose() => _goesOn.Set();

    [Theory, OverEvery]
    public async Task ObserverThatBlocksHoldsUpNoOtherTimeLimit(Over over)
    {
        await using WireHost host = Host(over);
        host.Reports.Told = BlockOnce;
        await ExpectOthersToBeTimedAsync(host);
    }

    [Theory, OverEvery]
    public async Task LoggerThatBlocksHoldsUpNoOtherTimeLimit(Over over)
    {
        await using WireHost host = Host(over, new BlockingLogger(this));
        await ExpectOthersToBeTimedAsync(host);
    }

    /// <summary>Two exchanges are aborted, and the observer blocks at the first that is told. The other client sees its end.</summary>
    [Theory, OverEvery]
    public async Task ObserverThatBlocksHoldsUpNoAbort(Over over)
    {
        await using var host = new WireHost(over);
        host.Reports.Told = BlockOnce;
        (RawPeer one, _) = await host.SendAsync(Messages.Post);
        (RawPeer other, _) = await host.SendAsync(Messages.Post);
        try
        {
            await Task.Run(host.Proxy.Abort).Soon();
            await _isBlocked.Task.Soon();
            await Task.WhenAny(one.ReadToEndAsync(), other.ReadToEndAsync()).Soon();
        }
        finally
        {
            _goesOn.Set();
        }
    }

    private static WireHost Host(Over over, ILogger? logger = null) => new(
        over,
        options => options with
        {
            Logger = logger ?? options.Logger,
            Limits = new ProxyLimits { ResponseTimeout = Limit, HeaderTimeout = 3 * Limit, IdleTimeout = Long },
        },
        new FakeTimeProvider());

    /// <summary>An exchange is cut by a time limit, and blocks. Then the time limit of another connection comes.</summary>
    private async Task ExpectOthersToBeTimedAsync(WireHost host)
    {
        (RawPeer client, _) = await host.SendAsync(Messages.Post);
        RawPeer other = await host.ConnectAsync();
        try
        {
            await Task.Run(() => MoveUntilEndedAsync(host.Clock!, _isBlocked.Task)).Soon();
            Assert.Equal(504, (await client.ReadResponseAsync()).Status);
            Task<string> end = other.ReadToEndAsync();
            await Task.Run(() => MoveUntilEndedAsync(host.Clock!, end)).Soon();
            Assert.Equal("", await end);
        }
        finally
        {
            _goesOn.Set();
        }
    }

    /// <summary>Runs beside the test: on a thread that is held up too, the test would wait for itself.</summary>
    private static Task MoveUntilEndedAsync(FakeTimeProvider clock, Task task) =>
        Patience.NudgeUntilEndedAsync(task, () => clock.Advance(TimeSpan.FromMilliseconds(500)));

    private void BlockOnce()
    {
        if (_isBlocked.TrySetResult())
        {
            _goesOn.Wait();
        }
    }

    /// <summary>Blocks at the first warning.</summary>
    private sealed class BlockingLogger(BlockingHostTests test) : ILogger
    {
        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => logLevel >= LogLevel.Warning;

        public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter) => test.BlockOnce();
    }
}
