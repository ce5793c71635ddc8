using System.Net.Sockets;

namespace McpProxyFast.EndToEnd.Wire;

/// <summary>A non-blocking socket on an <see cref="EventLoop"/>: reads messages, sends at once, keeps what did not fit.</summary>
internal abstract class Connection : IPolled, IMessageHandler
{
    private readonly EventLoop _loop;
    private readonly Socket _socket;
    private readonly MessageReader _reader;
    private ReadOnlyMemory<byte> _unsent;

    protected Connection(EventLoop loop, Socket socket, bool readsResponses)
    {
        _loop = loop;
        _socket = socket;
        _reader = new MessageReader(this, readsResponses);
        socket.NoDelay = true;
        socket.Blocking = false;
        loop.Add(socket, this);
    }

    public bool IsOpen { get; private set; } = true;

    public bool HasUnsent => !_unsent.IsEmpty;

    public void OnReadable()
    {
        int received = _socket.Receive(_loop.ReceiveBuffer, SocketFlags.None, out SocketError error);
        if (error is SocketError.WouldBlock)
        {
            return;
        }

        if (received == 0 || error is not SocketError.Success)
        {
            Close();
            _reader.EndOfInput();
            OnClosedByPeer();
            return;
        }

        try
        {
            _reader.Feed(_loop.ReceiveBuffer.AsSpan(0, received));
        }
        catch (InvalidDataException e)
        {
            Close();
            OnMalformed(e);
        }
    }

    public void OnWritable() => SendNow(_unsent);

    public void Close()
    {
        if (IsOpen)
        {
            IsOpen = false;
            _loop.Remove(_socket);
            _socket.Dispose();
        }
    }

    public abstract void OnHead(in MessageHead head);

    public abstract void OnBody(ReadOnlySpan<byte> body);

    public abstract void OnEnd();

    /// <summary>Called once when the peer has closed or reset the connection.</summary>
    protected abstract void OnClosedByPeer();

    /// <summary>Called once, after the connection was closed, when the peer sent what can't be read.</summary>
    protected abstract void OnMalformed(InvalidDataException fault);

    /// <summary>Sends bytes that stay unchanged until they have left.</summary>
    protected void Send(ReadOnlyMemory<byte> bytes)
    {
        if (HasUnsent)
        {
            _unsent = (byte[])[.. _unsent.Span, .. bytes.Span];
            return;
        }

        SendNow(bytes);
    }

    /// <summary>Sends bytes that the caller will change as soon as this returns.</summary>
    protected void SendReused(ReadOnlyMemory<byte> bytes)
    {
        Send(bytes);
        if (HasUnsent)
        {
            _unsent = _unsent.ToArray();
        }
    }

    private void SendNow(ReadOnlyMemory<byte> bytes)
    {
        bool waited = HasUnsent;
        int sent = _socket.Send(bytes.Span, SocketFlags.None, out SocketError error);
        if (error is not (SocketError.Success or SocketError.WouldBlock))
        {
            // The receive side of the same socket reports the close.
            _unsent = default;
            return;
        }

        _unsent = bytes[Math.Max(sent, 0)..];
        if (waited != HasUnsent)
        {
            _loop.WantWritable(_socket, HasUnsent);
        }
    }
}
