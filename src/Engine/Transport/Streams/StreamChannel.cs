using System.Net.Sockets;
using System.Runtime.CompilerServices;

namespace McpProxyFast.Transport.Streams;

/// <summary>A channel over a runtime socket, with or without TLS.</summary>
/// <remarks>
/// The stream has three users: the owner until it closes, the receive loop, and a pending write. Close and abort close only the socket, which ends the pending
/// read and write, and return at once. The last user disposes the stream and returns the buffers. So no operation uses a buffer that has been returned, and
/// closing never writes to a TLS stream.
/// </remarks>
internal sealed class StreamChannel : CompletionChannel
{
    private readonly Socket _socket;

    /// <summary>The stream over the socket, or the TLS stream over that stream.</summary>
    private readonly Stream _stream;

    /// <summary>The socket is used without TLS. Such a socket is called bare here.</summary>
    private readonly bool _isBare;

    private readonly Action _onWritten;

    /// <summary>Counts the users of the stream: owner, receive loop, pending write.</summary>
    private Parties _parties = new(2);

    /// <summary>Holds the bytes being written; null if no write is pending.</summary>
    private byte[]? _writing;

    /// <summary>The pending write. Valid until it has completed and its result has been taken.</summary>
    private ConfiguredValueTaskAwaitable.ConfiguredValueTaskAwaiter _written;

    /// <summary>The number of bytes received from a bare socket so far. Used by the receive loop until it has reported the end, then by the owner.</summary>
    private long _received;

    /// <summary>The sending direction has been shut down, so the peer has seen an orderly end. Set by any thread.</summary>
    private volatile bool _isShutDown;

    /// <summary>Takes over a connected socket and the stream over it.</summary>
    public StreamChannel(Socket socket, Stream stream)
    {
        _socket = socket;
        _stream = stream;
        _isBare = stream is NetworkStream;
        if (_isBare)
        {
            socket.Blocking = false; // so that Fill never waits; set after NetworkStream was created, which requires a blocking socket
        }

        _onWritten = OnWritten;
    }

    public override int HeldBuffers => base.HeldBuffers + (Volatile.Read(ref _writing) is null ? 0 : 1);

    /// <summary>
    /// TLS also reads records that carry no data (tickets, key updates), and then waits in the middle of a fill: nothing has arrived yet. A fill from a bare
    /// socket never waits, so it is about to report bytes or an end.
    /// </summary>
    protected override Arrival LookWhileFilling => _isBare ? Arrival.Bytes : Arrival.Nothing;

    /// <summary>
    /// If the system does not report the connection's state, a write that has failed, or is pending, counts as a reset. With TLS, the number of bytes received
    /// from the socket is not known here, so a reset counts even after an orderly end.
    /// </summary>
    public override bool WasReset => !TryReadTcpInfo(out TcpInfo.Facts facts) ? IsWritePending || HasWriteFailed
        : _isBare ? facts.WasResetBehind(_received)
        : facts.IsOver;

    public override long CountDelivered(long taken) => TryReadTcpInfo(out TcpInfo.Facts facts) ? facts.Acknowledged : taken;

    public override void ShutdownSend()
    {
        _isShutDown = true;
        try
        {
            _socket.Shutdown(SocketShutdown.Send);
        }
        catch (Exception fault) when (fault is SocketException or ObjectDisposedException)
        {
            // The socket has been closed already, or the connection has ended.
        }
    }

    protected override async Task ReceiveAsync()
    {
        bool byFault = false;
        try
        {
            while (!IsStopping)
            {
                if (IsFull)
                {
                    await WaitForRoomAsync().ConfigureAwait(false);
                    continue;
                }

                // A read into an empty buffer completes when there is something to read. So no buffer is held during the wait.
                await _stream.ReadAsync(Memory<byte>.Empty).ConfigureAwait(false);
                int received = _isBare ? Fill() : await FillAsync().ConfigureAwait(false);
                if (received == 0)
                {
                    byFault = _stream is TlsStream { WasCut: true };
                    break;
                }

                if (received > 0)
                {
                    TellReadable(ended: false);
                }
            }
        }
        catch (Exception)
        {
            byFault = true; // an exception from the stream means that it ended
        }

        EndReceive(byFault);
        Leave();
    }

    protected override bool StartWrite(ReadOnlySpan<byte> first, ReadOnlySpan<byte> second)
    {
        int bytes = first.Length + second.Length;
        byte[] copy = Buffers.Rent(bytes);
        first.CopyTo(copy);
        second.CopyTo(copy.AsSpan(first.Length));
        Volatile.Write(ref _writing, copy);
        try
        {
#pragma warning disable CA2012 // The awaiter is stored until it completes. Then its result is taken, once.
            _written = _stream.WriteAsync(copy.AsMemory(0, bytes)).ConfigureAwait(false).GetAwaiter();
#pragma warning restore CA2012
        }
        catch
        {
            ReturnWritten();
            throw;
        }

        if (!_written.IsCompleted)
        {
            _parties.Join(); // allowed, because the owner has not closed and so is one of the users
            _written.UnsafeOnCompleted(_onWritten);
            return false;
        }

        ReturnWritten();
        _written.GetResult();
        return true;
    }

    /// <summary>
    /// With TLS, what the bytes on the socket mean is unknown here, so they count as an end. In the worst case a good idle connection is not used again; a
    /// response is never lost.
    /// </summary>
    /// <remarks>
    /// With TLS, the socket is checked only if <paramref name="asksSystem"/> is true, which usually means that the connection has been idle for some time.
    /// Right after a handshake, session tickets are still arriving, and the loop is about to read them.
    /// </remarks>
    protected override Arrival LookBelow(bool asksSystem)
    {
        if (!_isBare && !asksSystem)
        {
            return Arrival.Nothing;
        }

        try
        {
            return !_socket.Poll(0, SelectMode.SelectRead) ? Arrival.Nothing
                : _isBare && _socket.Available > 0 ? Arrival.Bytes
                : Arrival.End;
        }
        catch (Exception fault) when (fault is SocketException or ObjectDisposedException)
        {
            return Arrival.End;
        }
    }

    /// <summary>
    /// Notices every reset, but an orderly end only if the system reports the connection's state. The runtime's poll counts urgent data as an error too, so it
    /// is used only if the system does not report the state.
    /// </summary>
    protected override bool HasEndedBehind()
    {
        try
        {
            return TryReadTcpInfo(out TcpInfo.Facts facts) ? facts.PeerEnded : _socket.Poll(0, SelectMode.SelectError);
        }
        catch (Exception fault) when (fault is SocketException or ObjectDisposedException)
        {
            return true;
        }
    }

    /// <summary>Closes the socket with a reset, unless the peer has already seen an orderly end.</summary>
    protected override void OnAbort() => EndSocket(reset: !_isShutDown);

    protected override void OnClose(bool reset)
    {
        EndSocket(reset);
        Leave();
    }

    /// <summary>Closes the socket, which ends all pending operations on it. Neither writes nor blocks.</summary>
    private void EndSocket(bool reset)
    {
        try
        {
            if (reset)
            {
                _socket.LingerState = new LingerOption(true, 0);
            }
            else
            {
                _socket.Shutdown(SocketShutdown.Send); // without this, the runtime resets a connection whose socket is closed during a read
            }
        }
        catch (Exception fault) when (fault is SocketException or ObjectDisposedException)
        {
            // The socket has been closed already, or the connection has ended.
        }

        _socket.Dispose();
        WakeLoop();
    }

    private void OnWritten()
    {
        bool failed = false;
        try
        {
            _written.GetResult();
        }
        catch (Exception)
        {
            failed = true;
        }

        ReturnWritten();
        EndWrite(failed);
        Leave();
    }

    private void ReturnWritten()
    {
        byte[] written = _writing!;
        Volatile.Write(ref _writing, null);
        Buffers.Return(written);
    }

    /// <summary>Reads available bytes from a bare socket into the ring.</summary>
    /// <returns>
    /// The number of bytes read; 0 at the end; -1 if nothing was there: the runtime may complete a wait for bytes that an earlier read has already taken.
    /// </returns>
    private int Fill()
    {
        int received = 0;
        Memory<byte> room = BeginFill();
        try
        {
            received = _socket.Receive(room.Span, SocketFlags.None, out SocketError error);
            _received += received;
            return error switch
            {
                SocketError.Success => received,
                SocketError.WouldBlock => -1,
                _ => throw new SocketException((int)error),
            };
        }
        finally
        {
            EndFill(received);
        }
    }

    /// <summary>Reads from a TLS stream into the ring. Waits if there is nothing to read.</summary>
    /// <returns>The number of bytes read; 0 at the end.</returns>
    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder<>))]
    private async ValueTask<int> FillAsync()
    {
        int received = 0;
        Memory<byte> room = BeginFill();
        try
        {
            received = await _stream.ReadAsync(room).ConfigureAwait(false);
        }
        finally
        {
            EndFill(received);
        }

        return received;
    }

    /// <summary>Asks the system for the connection's state. Returns false if the system does not report it, or the socket has been closed.</summary>
    private bool TryReadTcpInfo(out TcpInfo.Facts facts)
    {
        facts = default;
        if (!OperatingSystem.IsLinux())
        {
            return false;
        }

        try
        {
            Span<byte> info = stackalloc byte[TcpInfo.Bytes];
            int length = _socket.GetRawSocketOption((int)SocketOptionLevel.Tcp, TcpInfo.Option, info);
            return TcpInfo.TryRead(info[..length], out facts);
        }
        catch (Exception fault) when (fault is SocketException or ObjectDisposedException)
        {
            return false;
        }
    }

    private void Leave()
    {
        if (!_parties.Leave())
        {
            return;
        }

        try
        {
            _stream.Dispose();
        }
        catch (Exception)
        {
            // The stream may throw because its socket was closed before. It is not used any more.
        }

        DropUnread();
        CompleteClosed();
    }
}
