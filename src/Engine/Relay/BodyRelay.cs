using System.Buffers;
using System.Diagnostics;
using System.IO.Pipelines;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using McpProxyFast.Http1;

namespace McpProxyFast.Relay;

/// <summary>How the relay of one body ended.</summary>
internal enum RelayEnd : byte
{
    Complete,

    /// <summary>
    /// The source ended or failed before the end of the body. If the body lasts until the source closes, it is complete nevertheless if the close was orderly.
    /// The caller checks that, and then calls <see cref="BodyRelay.FinishUntilCloseAsync"/>.
    /// </summary>
    SourceEnded,

    /// <summary>The sink accepts no more bytes.</summary>
    SinkEnded,

    /// <summary>The body's framing is broken; see <see cref="BodyRelay.Violation"/>.</summary>
    Malformed,

    /// <summary>CancelPendingRead was called on the source, or CancelPendingFlush on the sink.</summary>
    Canceled,
}

/// <summary>What a relay waits for. Read by the heartbeat.</summary>
internal enum RelayPhase : byte
{
    Resting,
    Reading,
    Writing,
}

/// <summary>Inspects the first bytes of a body before they are forwarded. It may change the bytes in place, but not their number.</summary>
/// <param name="framing">The framing of the body, read up to these bytes.</param>
/// <param name="received">The bytes that were received and not yet forwarded.</param>
/// <param name="isOver">Whether the inspection is over, so that the rest of the body is forwarded without it.</param>
/// <returns>How many of the bytes may be forwarded now. The others are passed again in the next call, together with later ones.</returns>
internal delegate int BodyStart(in BodyFraming framing, Memory<byte> received, out bool isOver);

/// <summary>Moves one body from a source to a sink.</summary>
/// <remarks>
/// There is one flush per read, not per chunk. So an event of a stream is sent at once, and a burst of small chunks is still sent as one packet. Adjacent bytes
/// that are sent on are called a run. A long run is passed to the sink without a copy. Short runs are copied, so that head, body and last chunk are sent
/// together. The object is reused: <see cref="Start"/> resets it.
/// </remarks>
internal sealed class BodyRelay
{
    /// <summary>Runs shorter than this are copied to the sink's buffer. For them, a copy is cheaper than a send of their own.</summary>
    private const int CopyBelowBytes = 4 * 1024;

    /// <summary>The body's framing, and how much of it has been read. Valid from <see cref="Start"/> on.</summary>
    private BodyFraming _framing;

    /// <summary>The framing used for the sink. Valid from <see cref="Start"/> on.</summary>
    private SinkForm _form;

    /// <summary>Inspects the first bytes of the body. Null if nothing does, as in most cases, and once the inspection is over.</summary>
    private BodyStart? _start;

    /// <summary>What the relay waits for. Written by the relay's loop, read by the heartbeat.</summary>
    private volatile RelayPhase _phase;

    /// <summary>
    /// Counts the steps of the relay: it grows with every read and every write, over all bodies. Written by the relay's loop, read by the heartbeat.
    /// </summary>
    private uint _steps;

    /// <summary>
    /// How many bytes of the current body have arrived from the source so far, chunk lines included. Written by the relay's loop, read by the heartbeat.
    /// </summary>
    private long _movedBytes;

    /// <summary>How a body is framed for the sink.</summary>
    public enum SinkForm : byte
    {
        /// <summary>As it was received: with a declared length, or in chunks.</summary>
        AsReceived,

        /// <summary>The data only. The end of the sink's connection ends the body.</summary>
        Bare,

        /// <summary>The data in chunks, although the source sends none.</summary>
        Chunked,
    }

    private static ReadOnlySpan<byte> LastChunk => "0\r\n\r\n"u8;

    /// <summary>The rule that the body breaks; None if it breaks none. Once it is set, the relay of the body ends.</summary>
    public Violation Violation { get; private set; }

    public bool IsComplete => _framing.IsComplete;

    /// <summary>Whether the body has no other end than that of the source.</summary>
    public bool LastsUntilClose => _framing.Kind is FramingKind.UntilClose;

    public RelayPhase Phase => _phase;

    /// <summary>Changes with every read and every write. If it is the same at two beats, the relay has been waiting in between.</summary>
    public uint Steps => Volatile.Read(ref _steps);

    /// <summary>How many bytes of the body have arrived from the source so far, chunk lines included.</summary>
    public long MovedBytes => Volatile.Read(ref _movedBytes);

    /// <summary>Prepares for the next body.</summary>
    /// <param name="framing">The body's framing in the source, with its limits. Nothing of the body has been read.</param>
    /// <param name="form">How it is framed for the sink.</param>
    /// <param name="start">Inspects the first bytes of the body; null for no inspection.</param>
    public void Start(in BodyFraming framing, SinkForm form, BodyStart? start = null)
    {
        Debug.Assert(_phase is RelayPhase.Resting, "The body before is over.");
        Debug.Assert(form is not SinkForm.Chunked || framing.Kind is FramingKind.UntilClose, "Only what has no framing gets one.");
        _framing = framing;
        if (form is not SinkForm.AsReceived)
        {
            _framing = framing.AsDataOnly();
        }

        _form = form;
        _start = start;
        Violation = Violation.None;
        _movedBytes = 0;
        _phase = RelayPhase.Resting;
    }

    /// <summary>Writes the bytes of the body to the sink, without flushing.</summary>
    /// <param name="received">The source's bytes.</param>
    /// <param name="sink">Receives copies of short runs.</param>
    /// <param name="tail">The last run if it is long; otherwise empty. The caller must pass it to the sink's WriteAsync, which also flushes.</param>
    /// <param name="consumed">The position after the bytes that belong to the body.</param>
    /// <returns>False if the framing is broken; then <see cref="Violation"/> is set.</returns>
    public bool Pump(in ReadOnlySequence<byte> received, PipeWriter sink, out ReadOnlyMemory<byte> tail, out SequencePosition consumed)
    {
        Debug.Assert(Violation is Violation.None, "Nothing follows a broken framing.");
        tail = default;
        if (received.IsSingleSegment)
        {
            bool sound = PumpSegment(received.First, sink, out tail, out int length);
            consumed = received.GetPosition(length);
            return sound;
        }

        long total = 0;
        foreach (ReadOnlyMemory<byte> segment in received)
        {
            if (!tail.IsEmpty)
            {
                sink.Write(tail.Span);
                tail = default;
            }

            bool sound = PumpSegment(segment, sink, out tail, out int length);
            total += length;
            if (!sound || _framing.IsComplete)
            {
                consumed = received.GetPosition(total);
                return sound;
            }
        }

        consumed = received.GetPosition(total);
        return true;
    }

    /// <summary>
    /// Returns the received bytes that may be forwarded: all, unless the body's start is being inspected. Call it before each <see cref="Pump"/>.
    /// </summary>
    /// <param name="received">The source's bytes. During the inspection they must lie in one segment.</param>
    /// <param name="isLast">No more bytes will arrive.</param>
    public ReadOnlySequence<byte> Release(in ReadOnlySequence<byte> received, bool isLast)
    {
        if (_start is null)
        {
            return received;
        }

        Debug.Assert(received.IsSingleSegment, "Unconsumed bytes lie in one piece.");
        int length = _start(_framing, MemoryMarshal.AsMemory(received.First), out bool isOver);
        _start = isOver || isLast ? null : _start;
        return isLast ? received : received.Slice(0, length);
    }

    /// <summary>Relays until the body is complete or cannot be completed.</summary>
    /// <remarks>CancelPendingRead or CancelPendingFlush stops it. It takes no token, so that no read has to register a callback.</remarks>
    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder<>))]
    public async ValueTask<RelayEnd> RunAsync(PipeReader source, PipeWriter sink)
    {
        while (!_framing.IsComplete)
        {
            EnterPhase(RelayPhase.Reading);
            ReadResult read = await source.ReadAsync().ConfigureAwait(false);
            ReadOnlySequence<byte> released = Release(read.Buffer, read.IsCompleted);
            bool sound = Pump(released, sink, out ReadOnlyMemory<byte> tail, out SequencePosition consumed);
            EnterPhase(RelayPhase.Writing);
            FlushResult flush = await sink.WriteAsync(tail).ConfigureAwait(false);
            source.AdvanceTo(consumed, _start is null ? consumed : read.Buffer.End);
            RelayEnd? end = EndOf(sound, read, flush);
            if (end is not null)
            {
                EnterPhase(RelayPhase.Resting);
                return end.Value;
            }
        }

        EnterPhase(RelayPhase.Resting);
        return RelayEnd.Complete;
    }

    /// <summary>Ends a body that lasts until the source closes, after an orderly end of the source. If the sink uses chunks, it gets the last chunk.</summary>
    public async ValueTask<RelayEnd> FinishUntilCloseAsync(PipeWriter sink)
    {
        Debug.Assert(LastsUntilClose && Violation is Violation.None, "Every other body ends by its framing.");
        if (_form is not SinkForm.Chunked)
        {
            return RelayEnd.Complete;
        }

        sink.Write(LastChunk);
        EnterPhase(RelayPhase.Writing);
        FlushResult flush = await sink.FlushAsync().ConfigureAwait(false);
        EnterPhase(RelayPhase.Resting);
        return flush.IsCanceled ? RelayEnd.Canceled : flush.IsCompleted ? RelayEnd.SinkEnded : RelayEnd.Complete;
    }

    /// <summary>How the relay ends after this read and this write; null if it continues.</summary>
    private RelayEnd? EndOf(bool sound, in ReadResult read, FlushResult flush)
    {
        if (!sound)
        {
            return RelayEnd.Malformed;
        }

        if (flush.IsCanceled || read.IsCanceled)
        {
            return RelayEnd.Canceled;
        }

        if (flush.IsCompleted)
        {
            return RelayEnd.SinkEnded;
        }

        if (_framing.IsComplete)
        {
            return RelayEnd.Complete;
        }

        return read.IsCompleted ? RelayEnd.SourceEnded : null;
    }

    private bool PumpSegment(ReadOnlyMemory<byte> segment, PipeWriter sink, out ReadOnlyMemory<byte> tail, out int read)
    {
        ReadOnlySpan<byte> bytes = segment.Span;
        var walk = new BodyWalk(ref _framing, bytes);
        int runStart = 0;
        int runLength = 0;
        while (walk.MoveNext())
        {
            if (runLength > 0)
            {
                sink.Write(bytes.Slice(runStart, runLength));
            }

            runStart = walk.RunStart;
            runLength = walk.RunLength;
        }

        read = walk.Length;
        if (walk.Violation is not Violation.None)
        {
            Violation = walk.Violation;
            tail = default;
            return false;
        }

        Debug.Assert(read == bytes.Length || _framing.IsComplete, "Only a body's end leaves bytes behind.");
        Volatile.Write(ref _movedBytes, _movedBytes + read);
        tail = Emit(segment, runStart, runLength, read, sink);
        return true;
    }

    /// <summary>Copies a short run to the sink, or returns a long one. Adds chunk lines and the last chunk where the sink needs them.</summary>
    private ReadOnlyMemory<byte> Emit(ReadOnlyMemory<byte> segment, int runStart, int runLength, int read, PipeWriter sink)
    {
        ReadOnlyMemory<byte> run = segment.Slice(runStart, runLength);
        if (_form is SinkForm.Chunked)
        {
            WriteChunk(run.Span, sink);
            return default;
        }

        bool owesLastChunk = _framing.Kind is FramingKind.Chunked && _framing.IsComplete && _form is SinkForm.AsReceived;
        if (owesLastChunk && segment.Span[(runStart + runLength)..read].SequenceEqual(LastChunk))
        {
            // The complete last chunk was received right after the run, and it has neither extensions nor trailers. So both can be sent as one piece.
            run = segment[runStart..read];
            owesLastChunk = false;
        }

        if (run.Length >= CopyBelowBytes && !owesLastChunk)
        {
            return run;
        }

        sink.Write(run.Span);
        if (owesLastChunk)
        {
            sink.Write(LastChunk);
        }

        return default;
    }

    private static void WriteChunk(ReadOnlySpan<byte> data, PipeWriter sink)
    {
        if (data.IsEmpty)
        {
            return;
        }

        Span<byte> size = sink.GetSpan(10);
        System.Buffers.Text.Utf8Formatter.TryFormat(data.Length, size, out int digits, new StandardFormat('x'));
        "\r\n"u8.CopyTo(size[digits..]);
        sink.Advance(digits + 2);
        sink.Write(data);
        sink.Write("\r\n"u8);
    }

    /// <summary>Tells the heartbeat what the relay waits for now.</summary>
    public void EnterPhase(RelayPhase phase)
    {
        _phase = phase;
        Volatile.Write(ref _steps, _steps + 1);
    }
}
