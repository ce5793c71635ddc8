using System.IO.Pipelines;

namespace McpProxyFast.Fuzz.Exchange;

/// <summary>One side of a connection, over two in-memory pipes whose continuations run inline: so one input always runs the same way.</summary>
internal sealed class ScriptedPeer
{
    private static readonly PipeOptions Inline = new(
        readerScheduler: PipeScheduler.Inline, writerScheduler: PipeScheduler.Inline, pauseWriterThreshold: 0, resumeWriterThreshold: 0, useSynchronizationContext: false);

    private readonly Pipe _toProxy = new(Inline);
    private readonly Pipe _fromProxy = new(Inline);
    private readonly List<byte> _sent = [];
    private readonly List<byte> _received = [];

    public ScriptedPeer() => ProxySide = new Duplex(_toProxy.Reader, _fromProxy.Writer);

    /// <summary>What the proxy is given.</summary>
    public IDuplexPipe ProxySide { get; }

    /// <summary>All that this peer has sent.</summary>
    public byte[] Sent => [.. _sent];

    /// <summary>All that has reached this peer.</summary>
    public byte[] Received => [.. _received];

    /// <summary>This peer has sent its last byte and said so in an orderly way.</summary>
    public bool ClosedOrderly { get; private set; }

    /// <summary>This peer sends no more.</summary>
    public bool IsClosed { get; private set; }

    /// <summary>The proxy has ended its direction.</summary>
    public bool ProxyEnded { get; private set; }

    /// <summary>The proxy has ended its direction as one does after a whole message, not as after a fault.</summary>
    public bool ProxyEndedOrderly { get; private set; }

    /// <summary>The proxy has given both directions back, as far as this peer can tell: what it has closed itself tells nothing.</summary>
    public bool IsReleased
    {
        get
        {
            Receive();
            return ProxyEnded && (IsClosed || !Write(default));
        }
    }

    public void Send(byte[] bytes)
    {
        if (!IsClosed)
        {
            _sent.AddRange(bytes);
            Write(bytes);
        }
    }

    public void Close(bool orderly)
    {
        if (!IsClosed)
        {
            IsClosed = true;
            ClosedOrderly = orderly;
            _toProxy.Writer.Complete(orderly ? null : new IOException("The peer reset the connection."));
        }
    }

    /// <summary>Takes whatever has come.</summary>
    public void Receive()
    {
        try
        {
            while (!ProxyEnded && _fromProxy.Reader.TryRead(out ReadResult read))
            {
                foreach (ReadOnlyMemory<byte> segment in read.Buffer)
                {
                    _received.AddRange(segment.Span);
                }

                _fromProxy.Reader.AdvanceTo(read.Buffer.End);
                ProxyEnded = ProxyEndedOrderly = read.IsCompleted;
            }
        }
        catch (IOException)
        {
            // The proxy's way to say over a pipe what a reset says over TCP.
            ProxyEnded = true;
        }
    }

    /// <summary>Writes; false where the proxy takes no more. The pipe has no bound, so this never waits.</summary>
    private bool Write(byte[]? bytes)
    {
        try
        {
            return !_toProxy.Writer.WriteAsync(bytes).AsTask().GetAwaiter().GetResult().IsCompleted;
        }
        catch (IOException)
        {
            // The proxy's way to say over a pipe what a reset says over TCP.
            return false;
        }
    }

    private sealed record Duplex(PipeReader Input, PipeWriter Output) : IDuplexPipe;
}
