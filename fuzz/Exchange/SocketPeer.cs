using System.Net.Sockets;

namespace McpProxyFast.Fuzz.Exchange;

/// <summary>A peer over TCP that never waits: a script is far shorter than what the system's buffers hold.</summary>
internal sealed class SocketPeer : ScriptedPeer, IDisposable
{
    private readonly byte[] _buffer = new byte[16 * 1024];

    public SocketPeer(Socket socket)
    {
        socket.NoDelay = true;
        socket.Blocking = false;
        Socket = socket;
    }

    public Socket Socket { get; }

    /// <summary>Something may still come.</summary>
    public bool IsOpen { get; private set; } = true;

    public override bool IsReleased
    {
        get
        {
            Receive();
            return !IsOpen || ProxyEnded;
        }
    }

    public override void Receive()
    {
        while (IsOpen && !ProxyEnded)
        {
            int length = Socket.Receive(_buffer, SocketFlags.None, out SocketError error);
            if (error is SocketError.WouldBlock)
            {
                return;
            }

            Take(_buffer.AsSpan(0, length));
            if (length == 0)
            {
                SeeEnd(orderly: error is SocketError.Success);
            }
        }
    }

    public void Dispose()
    {
        IsOpen = false;
        Socket.Dispose();
    }

    protected override bool Write(ReadOnlyMemory<byte> bytes)
    {
        Socket.Send(bytes.Span, SocketFlags.None, out SocketError error);
        return error is SocketError.Success;
    }

    protected override void End(bool orderly)
    {
        Receive();
        if (!orderly)
        {
            Socket.LingerState = new LingerOption(true, 0);
            Dispose();
            return;
        }

        try
        {
            Socket.Shutdown(SocketShutdown.Send);
        }
        catch (SocketException)
        {
            // The proxy was faster, with a reset.
        }
    }
}
