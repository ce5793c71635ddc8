using System.Net;

namespace McpProxyFast.Transport;

/// <summary>One byte stream each way, with what a proxy needs beyond a duplex pipe: a watch on a silent peer, and an end from any thread.</summary>
internal sealed class Connection
{
    /// <summary>What carries the bytes.</summary>
    private readonly Channel _channel;

    /// <summary>Takes over a channel that has not been opened, and opens it.</summary>
    /// <exception cref="IOException">The system refused to watch the channel. It has been closed.</exception>
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

    /// <summary>The peer's address; null where there is none, as with an in-memory pipe.</summary>
    public IPAddress? RemoteAddress { get; }

    /// <summary>What serves this connection; null where any thread may.</summary>
    public Affinity? Affinity => _channel.Affinity;

    /// <summary>
    /// It is in the middle of a long body or a stream: where many connections have something at once, those go first that wait for the whole of a
    /// request or of an answer.
    /// </summary>
    public bool IsBulk
    {
        get => _channel.IsBulk;
        set => _channel.IsBulk = value;
    }

    /// <summary>Completes when everything has been given back: after <see cref="Close"/>, as soon as what was still out has ended.</summary>
    public Task Closed => _channel.Closed;

    /// <summary>Buffers that the connection holds now. For tests.</summary>
    public int HeldBuffers => _channel.HeldBuffers + (Input.HoldsBuffer ? 1 : 0) + (Output.HoldsBuffer ? 1 : 0);

    /// <summary>Ends both directions at once, from any thread: what waits on this connection wakes up and finds it completed.</summary>
    public void Abort() => _channel.Abort();

    /// <summary>Says that no more bytes will be sent; the peer's remaining ones can still be read. From any thread.</summary>
    public void ShutdownOutput() => _channel.ShutdownSend();

    /// <summary>Gives everything back. Only for the owner, once nothing waits on the connection any more. A second call does nothing.</summary>
    /// <param name="reset">The peer shall see a reset, not an orderly end: what it received is not whole.</param>
    public void Close(bool reset)
    {
        if (_channel.Close(reset))
        {
            Input.Release();
            Output.Release();
        }
    }
}
