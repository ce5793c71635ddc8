using System.Buffers;
using System.IO.Pipelines;

namespace McpProxyFast.House.Tests;

/// <summary>
/// A proxy over a host's in-memory pipes. Every step runs on the thread that sends, so that what was sent has had its effect when the call returns.
/// </summary>
internal sealed class InlinePipes : IAsyncDisposable
{
    private readonly Pipe _toClient = Make();
    private readonly Pipe _fromClient = Make();
    private readonly Pipe _toUpstream = Make();
    private readonly Pipe _fromUpstream = Make();
    private readonly McpProxy _proxy;
    private readonly Task _serving;

    public InlinePipes(Func<McpProxyOptions, McpProxyOptions> adjust)
    {
        _proxy = new McpProxy(adjust(new McpProxyOptions
        {
            Target = new Uri("http://upstream.test"),
            ConnectUpstream = _ => ValueTask.FromResult<IDuplexPipe>(new Duplex(_fromUpstream.Reader, _toUpstream.Writer)),
        }));
        _serving = _proxy.ServeAsync(new Duplex(_fromClient.Reader, _toClient.Writer), new ClientConnectionInfo(), CancellationToken.None);
    }

    public void ClientSends(byte[] bytes) => Send(_fromClient.Writer, bytes);

    public void ClientReceives() => Receive(_toClient.Reader);

    public void UpstreamSends(byte[] bytes) => Send(_fromUpstream.Writer, bytes);

    public void UpstreamReceives() => Receive(_toUpstream.Reader);

    public void UpstreamHasReceivedNothing() => Assert.False(_toUpstream.Reader.TryRead(out _));

    public async ValueTask DisposeAsync()
    {
        await _fromClient.Writer.CompleteAsync();
        await _serving;
        await _proxy.DisposeAsync();
    }

    private static Pipe Make() => new(
        new PipeOptions(readerScheduler: PipeScheduler.Inline, writerScheduler: PipeScheduler.Inline, useSynchronizationContext: false));

#pragma warning disable CA2012 // The flush has completed when it returns.
    private static void Send(PipeWriter writer, byte[] bytes)
    {
        writer.Write(bytes);
        Assert.False(writer.FlushAsync().GetAwaiter().GetResult().IsCompleted); // far below the pause threshold: completes at once
    }
#pragma warning restore CA2012

    private static void Receive(PipeReader reader)
    {
        if (!reader.TryRead(out ReadResult result))
        {
            throw new InvalidOperationException("Nothing came through.");
        }

        reader.AdvanceTo(result.Buffer.End);
    }

    private sealed record Duplex(PipeReader Input, PipeWriter Output) : IDuplexPipe;
}
