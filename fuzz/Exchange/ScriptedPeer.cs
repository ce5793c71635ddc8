namespace McpProxyFast.Fuzz.Exchange;

/// <summary>One side of a connection, and what it has seen of the proxy's.</summary>
internal abstract class ScriptedPeer
{
    private readonly List<byte> _sent = [];
    private readonly List<byte> _received = [];

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
    public abstract bool IsReleased { get; }

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
            End(orderly);
        }
    }

    /// <summary>Takes whatever has come.</summary>
    public abstract void Receive();

    /// <summary>Writes; false where the proxy takes no more. Never waits.</summary>
    protected abstract bool Write(ReadOnlyMemory<byte> bytes);

    /// <summary>Ends this peer's direction, or resets the connection.</summary>
    protected abstract void End(bool orderly);

    protected void Take(ReadOnlySpan<byte> bytes) => _received.AddRange(bytes);

    protected void SeeEnd(bool orderly)
    {
        ProxyEnded = true;
        ProxyEndedOrderly = orderly;
    }
}
