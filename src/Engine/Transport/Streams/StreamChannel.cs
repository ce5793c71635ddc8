using System.Net.Sockets;
using System.Runtime.CompilerServices;

namespace McpProxyFast.Transport.Streams;

/// <summary>A socket of the runtime, bare or under TLS.</summary>
/// <remarks>
/// Three parties use the stream: the owner until it closes, the receive loop, and a write that is out. Close and abort end the socket, which ends the other
/// two, and return. The last party disposes the stream and gives the buffers back: nothing is read into, or written from, a buffer that has been given
/// back, and a
/// TLS stream is never written to in a close.
/// </remarks>
internal sealed class StreamChannel : CompletionChannel
{
    private readonly Socket _socket;

    /// <summary>The socket's bytes, or what TLS makes of them.</summary>
    private readonly Stream _stream;

    /// <summary>There is no TLS between the bytes and the socket.</summary>
    private readonly bool _isBare;

    private readonly Action _onWritten;

    /// <summary>Owner, receive loop, a write that is out.</summary>
    private Parties _parties = new(2);

    /// <summary>What is being written; null where no write is out.</summary>
    private byte[]? _writing;

    /// <summary>The write that is out.</summary>
    private ConfiguredValueTaskAwaitable.ConfiguredValueTaskAwaiter _written;

    /// <summary>Bytes that a bare socket has given so far. The receive loop's, until it has told the end.</summary>
    private long _received;

    /// <summary>The sending direction has been shut down: the peer has seen an orderly end. Any thread.</summary>
    private volatile bool _isShutDown;

    /// <summary>Takes over a connected socket and the stream over it.</summary>
    public StreamChannel(Socket socket, Stream stream)
    {
        _socket = socket;
        _stream = stream;
        _isBare = stream is NetworkStream;
        if (_isBare)
        {
            socket.Blocking = false; // after the stream, which wants it otherwise: for reads that never wait
        }

        _onWritten = OnWritten;
    }

    public override int HeldBuffers => base.HeldBuffers + (Volatile.Read(ref _writing) is null ? 0 : 1);

    /// <summary>TLS reads what is no data of the peer's too (tickets, new keys), and then waits within a fill. A bare socket's fill never waits.</summary>
    protected override Arrival LookWhileFilling => _isBare ? Arrival.Bytes : Arrival.Nothing;

    /// <summary>
    /// Where the system does not tell the connection's state, a write that has failed, or may be about to, says the same. How many bytes lie below those of
    /// TLS is not known here: there a reset counts also behind an orderly end.
    /// </summary>
    public override bool WasReset => !TryReadTcpInfo(out TcpInfo.Facts facts) ? IsWriteOut || HasWriteFailed
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
            // It has ended already.
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

                await _stream.ReadAsync(Memory<byte>.Empty).ConfigureAwait(false); // done when there is something to read, and holds no buffer until then
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
            byFault = true; // whatever the stream throws: that is how it ends
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
#pragma warning disable CA2012 // The awaiter is kept until its one completion, where its result is taken once.
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
            _parties.Join(); // the owner, which has not closed, is one of them
            _written.UnsafeOnCompleted(_onWritten);
            return false;
        }

        ReturnWritten();
        _written.GetResult();
        return true;
    }

    /// <summary>What is there below TLS may be a part of anything: it is taken for an end, which costs a connection and never an answer.</summary>
    /// <remarks>
    /// Below TLS it is looked only where the connection has been idle for long enough: right behind a handshake its tickets are still on their way, and the
    /// loop, which waits for them, is about to take them.
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
    /// A reset is seen everywhere; an orderly end only where the system tells the connection's state. The runtime counts urgent data as an error too, so it is
    /// asked only where the system does not say.
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

    /// <summary>The socket ends with a reset, unless the peer has seen an orderly end before.</summary>
    protected override void OnAbort() => EndSocket(reset: !_isShutDown);

    protected override void OnClose(bool reset)
    {
        EndSocket(reset);
        Leave();
    }

    /// <summary>Ends the socket, and with it what is out over it. Neither writes nor blocks.</summary>
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
                _socket.Shutdown(SocketShutdown.Send); // else the runtime resets a socket that it closes under a pending read
            }
        }
        catch (Exception fault) when (fault is SocketException or ObjectDisposedException)
        {
            // It has ended already.
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

    /// <summary>Reads what a bare socket has into the ring.</summary>
    /// <returns>
    /// The bytes read; 0 at the end; -1 where there was nothing after all: the runtime may wake a wait for bytes that an earlier read has taken.
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

    /// <summary>Reads into the ring.</summary>
    /// <returns>The bytes read; 0 at the end.</returns>
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

    /// <summary>Asks what the system says of the connection; false where it does not say, or the socket has ended.</summary>
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
            // The socket has ended before; nothing of the stream is needed any more.
        }

        DropUnread();
        CompleteClosed();
    }
}
