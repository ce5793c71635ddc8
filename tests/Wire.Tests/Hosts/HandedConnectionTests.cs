using System.IO.Pipelines;
using McpProxyFast.Wire.Tests.Support;
using Microsoft.Extensions.Time.Testing;

namespace McpProxyFast.Wire.Tests.Hosts;

/// <summary>A connection that was handed over is completed, both ends of it, whatever happens.</summary>
public sealed class HandedConnectionTests
{
    [Fact]
    public async Task ListThatNobodyCouldMeetIsRefusedAndTheConnectionCompleted()
    {
        await using var host = new WireHost(Over.Pipes);
        await ExpectRefusedAsync<ArgumentException>(host.Proxy, new ClientConnectionInfo { AllowedHosts = ["http://a.example/"] });
    }

    [Fact]
    public async Task MissingInfoIsRefusedAndTheConnectionCompleted()
    {
        await using var host = new WireHost(Over.Pipes);
        await ExpectRefusedAsync<ArgumentNullException>(host.Proxy, null!);
    }

    [Fact]
    public async Task DisposedProxyRefusesAndCompletesTheConnection()
    {
        var host = new WireHost(Over.Pipes);
        await host.DisposeAsync();
        await ExpectRefusedAsync<ObjectDisposedException>(host.Proxy, new ClientConnectionInfo());
    }

    [Fact]
    public async Task FailedStartCompletesTheConnectionWhenItsClientHasGone()
    {
        await using var host = new WireHost(Over.Pipes, options => options with { Outgoing = OutgoingPolicy.BearerFile("/nowhere/token") });
        RawPeer client = await host.ConnectAsync();
        await client.SendAsync(Messages.Post);
        Assert.Equal(503, (await client.ReadResponseAsync()).Status);
        client.Finish();
        Assert.Equal("", await client.ReadToEndAsync());
        Assert.True(client.Ended);
        await host.ServedAsync();
    }

    [Fact]
    public async Task ConnectionWhoseEndsThrowWhenTheyAreCompletedIsServedAndCountedOff()
    {
        await using var host = new WireHost(Over.Pipes, clock: new FakeTimeProvider());
        var pair = new PipePair();
        Task served = host.Proxy.ServeAsync(new Stubborn(pair.EngineEnd), new ClientConnectionInfo(), CancellationToken.None);
        pair.TestEnd.Output.Complete();
        await served.Soon();
        await host.Proxy.DisposeAsync().AsTask().Soon(); // would wait, as its clock stands, for a connection that was still counted
    }

    private static async Task ExpectRefusedAsync<T>(McpProxy proxy, ClientConnectionInfo info)
        where T : Exception
    {
        var pair = new PipePair();
        await Assert.ThrowsAsync<T>(() => proxy.ServeAsync(pair.EngineEnd, info, CancellationToken.None).Soon());
        await Assert.ThrowsAsync<T>(() => pair.TestEnd.Input.ReadAsync().Soon());
        await Assert.ThrowsAsync<T>(() => pair.TestEnd.Output.WriteAsync(new byte[1]).Soon());
    }

    /// <summary>A host's pipe whose output cannot be completed.</summary>
    private sealed class Stubborn(IDuplexPipe inner) : IDuplexPipe
    {
        public PipeReader Input => inner.Input;

        public PipeWriter Output { get; } = new StubbornWriter(inner.Output);
    }

    private sealed class StubbornWriter(PipeWriter inner) : PipeWriter
    {
        public override void Advance(int bytes) => inner.Advance(bytes);

        public override Memory<byte> GetMemory(int sizeHint = 0) => inner.GetMemory(sizeHint);

        public override Span<byte> GetSpan(int sizeHint = 0) => inner.GetSpan(sizeHint);

        public override void CancelPendingFlush() => inner.CancelPendingFlush();

        public override void Complete(Exception? exception = null) => throw new NotSupportedException();

        public override ValueTask<FlushResult> FlushAsync(CancellationToken cancellationToken = default) => inner.FlushAsync(cancellationToken);
    }
}
