using System.Net.Security;
using System.Runtime.CompilerServices;

namespace McpProxyFast.Transport.Streams;

/// <summary>A TLS stream that knows how it ended: by the peer's <c>close_notify</c>, or because the stream below it ended.</summary>
/// <remarks>
/// The runtime reports both to the reader as the same end. But anybody on the network path can end the TCP stream below, while only the peer can send
/// <c>close_notify</c>. Without it, the data received may be incomplete (RFC 8446 §6.1, RFC 9112 §9.8). After <c>close_notify</c>, TLS reads nothing more from
/// the stream below. So if a read below has found the end, there was no <c>close_notify</c>.
/// </remarks>
internal sealed class TlsStream : SslStream
{
    private readonly Below _below;

    /// <param name="inner">The stream below, which transports the encrypted bytes. It is disposed with this stream.</param>
    public TlsStream(Stream inner)
        : this(new Below(inner))
    {
    }

    private TlsStream(Below below)
        : base(below, leaveInnerStreamOpen: false) => _below = below;

    /// <summary>The stream below ended without <c>close_notify</c>. Valid once a read has found the end.</summary>
    public bool WasCut => _below.HasEnded;

    /// <summary>The peer's first bytes are the start of an HTTP response, so the peer does not speak TLS.</summary>
    public bool IsAnsweredInHttp => _below.BeganAsHttp;

    /// <summary>The stream below TLS. Forwards all calls, and records the end and the first bytes.</summary>
    private sealed class Below(Stream inner) : Stream
    {
        /// <summary>A read has found the end. Never reset. Written by the reading thread, before the read returns.</summary>
        public bool HasEnded { get; private set; }

        /// <summary>How many bytes of <see cref="HttpStart"/> have been received; -1 once a byte differs from it.</summary>
        private int _httpBytes;

        /// <summary>The first bytes are the start of an HTTP response.</summary>
        public bool BeganAsHttp => _httpBytes == HttpStart.Length;

        private static ReadOnlySpan<byte> HttpStart => "HTTP/"u8;

        public override bool CanRead => true;

        public override bool CanSeek => false;

        public override bool CanWrite => true;

        public override bool CanTimeout => inner.CanTimeout;

        public override long Length => throw new NotSupportedException();

        public override long Position
        {
            get => throw new NotSupportedException();
            set => throw new NotSupportedException();
        }

        public override int Read(byte[] buffer, int offset, int count) => Read(buffer.AsSpan(offset, count));

        public override int Read(Span<byte> buffer) => Note(buffer, inner.Read(buffer));

        /// <summary>Forwards the read. A read into an empty buffer only waits for bytes; its result of 0 is not the end.</summary>
        public override ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
        {
            ValueTask<int> reading = inner.ReadAsync(buffer, cancellationToken);
            return buffer.IsEmpty ? reading
                : reading.IsCompletedSuccessfully ? new ValueTask<int>(Note(buffer.Span, reading.Result))
                : NoteAsync(reading, buffer);
        }

        public override Task<int> ReadAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken) =>
            ReadAsync(buffer.AsMemory(offset, count), cancellationToken).AsTask();

        public override void Write(byte[] buffer, int offset, int count) => inner.Write(buffer, offset, count);

        public override void Write(ReadOnlySpan<byte> buffer) => inner.Write(buffer);

        public override ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default) =>
            inner.WriteAsync(buffer, cancellationToken);

        public override Task WriteAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken) =>
            inner.WriteAsync(buffer, offset, count, cancellationToken);

        public override void Flush() => inner.Flush();

        public override Task FlushAsync(CancellationToken cancellationToken) => inner.FlushAsync(cancellationToken);

        public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

        public override void SetLength(long value) => throw new NotSupportedException();

        protected override void Dispose(bool disposing)
        {
            if (disposing)
            {
                inner.Dispose();
            }

            base.Dispose(disposing);
        }

        [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder<>))]
        private async ValueTask<int> NoteAsync(ValueTask<int> reading, Memory<byte> room)
        {
            int received = await reading.ConfigureAwait(false);
            return Note(room.Span, received);
        }

        private int Note(ReadOnlySpan<byte> room, int received)
        {
            HasEnded |= received == 0 && !room.IsEmpty;
            for (int i = 0; i < received && _httpBytes >= 0 && _httpBytes < HttpStart.Length; i++)
            {
                _httpBytes = room[i] == HttpStart[_httpBytes] ? _httpBytes + 1 : -1;
            }

            return received;
        }
    }
}
