using System.Net;

namespace McpProxyFast.Transport;

/// <summary>
/// One byte stream in each direction. A proxy needs two things that a duplex pipe does not have: a watch, which notices bytes or the end of the peer while
/// nobody reads, and an abort from any thread.
/// </summary>
internal sealed class Connection
{
    /// <summary>Transports the bytes.</summary>
    private readonly Channel _channel;

    /// <summary>Takes over a channel that has not been opened, and opens it.</summary>
    /// <exception cref="IOException">The system cannot watch the channel's descriptor. The descriptor has been closed.</exception>
    public Connection(Channel channel, IPAddress? remoteAddress)
    {
        _channel = channel;
        RemoteAddress = remoteAddress;
        Input = new ConnectionReader(channel);
        Output = new ConnectionWriter(channel);
        channel.Open(Input, Output);
    }

    public ConnectionReader Input { get; }

    public ConnectionWriter Output { get; }

    /// <summary>The peer's address; null if it has none, as with an in-memory pipe.</summary>
    public IPAddress? RemoteAddress { get; }

    /// <summary>The event loop that serves this connection; null if none does: then the threads of the runtime's pool serve it.</summary>
    public Affinity? Affinity => _channel.Affinity;

    /// <summary>
    /// The connection carries a long body or a stream. If many connections have events at once, connections without this mark are served first.
    /// </summary>
    public bool IsBulk
    {
        get => _channel.IsBulk;
        set => _channel.IsBulk = value;
    }

    /// <summary>Completes when the transport has been released: after <see cref="Close"/>, as soon as pending operations have ended.</summary>
    public Task Closed => _channel.Closed;

    /// <summary>The number of buffers that the connection holds now. For tests.</summary>
    public int HeldBuffers => _channel.HeldBuffers + (Input.HoldsBuffer ? 1 : 0) + (Output.HoldsBuffer ? 1 : 0);

    /// <summary>Ends both directions at once, from any thread. Pending waits on this connection wake up and find it completed.</summary>
    public void Abort() => _channel.Abort();

    /// <summary>Ends the sending side. Remaining bytes from the peer can still be read. From any thread.</summary>
    public void ShutdownOutput() => _channel.ShutdownSend();

    /// <summary>Releases everything. Only for the owner, when nothing waits on the connection. A second call does nothing.</summary>
    /// <param name="reset">Whether the peer sees a reset instead of an orderly end. It must if it has received incomplete data.</param>
    public void Close(bool reset)
    {
        if (_channel.Close(reset))
        {
            Input.Release();
            Output.Release();
        }
    }
}
