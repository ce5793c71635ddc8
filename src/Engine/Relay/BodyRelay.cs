using System.Buffers;
using System.Diagnostics;
using System.IO.Pipelines;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using McpProxyFast.Http1;

namespace McpProxyFast.Relay;

/// <summary>How relaying one body ended.</summary>
internal enum RelayEnd : byte
{
    Complete,

    /// <summary>
    /// The source ended, or failed, before the framing said that the body is over. A body that lasts until the close is whole all the same where the
    /// close was orderly: the caller knows that of its source, and then calls <see cref="BodyRelay.FinishUntilCloseAsync"/>.
    /// </summary>
    SourceEnded,

    /// <summary>The sink takes no more.</summary>
    SinkEnded,

    /// <summary>The body's framing is broken; <see cref="BodyRelay.Violation"/> says how.</summary>
    Malformed,

    /// <summary>Somebody called CancelPendingRead on the source or CancelPendingFlush on the sink.</summary>
    Canceled,
}

/// <summary>What a relay waits for; read by the heartbeat.</summary>
internal enum RelayPhase : byte
{
    Resting,
    Reading,
    Writing,
}

/// <summary>Looks at the bytes with which a body begins before they go on, and may change some where they lie, but not their number.</summary>
/// <param name="framing">How the body is framed, and how far it has been read: up to these bytes.</param>
/// <param name="received">What has come and has not gone on.</param>
/// <param name="isOver">The rest of the body goes on unseen.</param>
/// <returns>How many of the bytes may go on now. The others are shown again, with more behind them.</returns>
internal delegate int BodyStart(in BodyFraming framing, Memory<byte> received, out bool isOver);

/// <summary>Moves one body from a source to a sink, and nothing else.</summary>
/// <remarks>
/// One flush per read, not per chunk: an event of a stream leaves as soon as it came, and a burst of small chunks still leaves as one packet. A long run
/// is passed to the sink where it lies; what is short is copied, so that head, body and last chunk leave together. Reused: <see cref="Start"/> resets it.
/// </remarks>
internal sealed class BodyRelay
{
    /// <summary>Runs below this many bytes are copied: cheaper than a second call.</summary>
    private const int CopyBelowBytes = 4 * 1024;

    /// <summary>The body's framing, and how far it has been read. Valid from <see cref="Start"/>.</summary>
    private BodyFraming _framing;

    /// <summary>How the body leaves. Valid from <see cref="Start"/>.</summary>
    private SinkForm _form;

    /// <summary>Looks at what comes; null where nobody does, as nearly always, and once it has said that it is over.</summary>
    private BodyStart? _start;

    /// <summary>What is waited for; written by the relay's loop, read by the heartbeat.</summary>
    private volatile RelayPhase _phase;

    /// <summary>Counts reads and writes, of all bodies; written by the relay's loop, read by the heartbeat.</summary>
    private uint _steps;

    /// <summary>Bytes of the source that belonged to the present body; written by the relay's loop, read by the heartbeat.</summary>
    private long _movedBytes;

    /// <summary>How a body leaves.</summary>
    public enum SinkForm : byte
    {
        /// <summary>In the framing it came in: a declared length, or chunks.</summary>
        AsReceived,

        /// <summary>The bare data: the sink's end is the body's.</summary>
        Bare,

        /// <summary>As chunks, though the source has none.</summary>
        Chunked,
    }

    private static ReadOnlySpan<byte> LastChunk => "0\r\n\r\n"u8;

    /// <summary>The rule that the body breaks; then it is over.</summary>
    public Violation Violation { get; private set; }

    public bool IsComplete => _framing.IsComplete;

    /// <summary>Only the source's end ends the body.</summary>
    public bool LastsUntilClose => _framing.Kind is FramingKind.UntilClose;

    public RelayPhase Phase => _phase;

    /// <summary>Changes with every read and every write: a heartbeat that sees it unchanged sees a relay that waits.</summary>
    public uint Steps => Volatile.Read(ref _steps);

    /// <summary>Bytes of the source that belonged to the body so far.</summary>
    public long MovedBytes => Volatile.Read(ref _movedBytes);

    /// <summary>Prepares for one body.</summary>
    /// <param name="framing">How the body's end is found in the source, and its bounds. Nothing of the body has been read.</param>
    /// <param name="form">How it leaves.</param>
    /// <param name="start">Looks at its first bytes; null for nobody.</param>
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

    /// <summary>Writes what belongs to the body to the sink, without flushing.</summary>
    /// <param name="received">Bytes of the source.</param>
    /// <param name="sink">Receives copies of short runs.</param>
    /// <param name="tail">A long last run, which is to be passed to the sink's WriteAsync and flushes it.</param>
    /// <param name="consumed">The bytes before this position belong to the body.</param>
    /// <returns>False where the framing is broken: then <see cref="Violation"/> is set.</returns>
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

    /// <summary>What of the received bytes may go on: all, unless somebody looks at the body's start. To be asked before each <see cref="Pump"/>.</summary>
    /// <param name="received">Bytes of the source, in one piece while somebody looks.</param>
    /// <param name="isLast">No more bytes will come.</param>
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

    /// <summary>Relays until the framing says that the body is over, or the source ends.</summary>
    /// <remarks>Cut short by CancelPendingRead or CancelPendingFlush, never by a token, so a read registers nothing.</remarks>
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

    /// <summary>Ends a body that lasts until the close, once the source has come to an orderly end: a chunked sink gets its last chunk.</summary>
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

    /// <summary>How the body ends with this read and its write; null where it goes on.</summary>
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

    /// <summary>Copies a short run to the sink, or returns a long one; adds what the sink's form asks for.</summary>
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
            // The last chunk as it came is the plain form, and it is whole: it may travel with the run.
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

    /// <summary>Tells the heartbeat what is waited for now.</summary>
    public void EnterPhase(RelayPhase phase)
    {
        _phase = phase;
        Volatile.Write(ref _steps, _steps + 1);
    }
}
