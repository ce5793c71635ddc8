using System.Buffers;
using System.IO.Pipelines;
using System.Runtime.CompilerServices;
using McpProxyFast.Http1;
using McpProxyFast.Outcomes;

namespace McpProxyFast.Relay;

/// <summary>How relaying one body ended.</summary>
internal enum RelayEnd : byte
{
    Complete,

    /// <summary>The source ended, or failed, before the body did.</summary>
    SourceEnded,

    /// <summary>The sink takes no more.</summary>
    SinkEnded,

    /// <summary>The body's framing is broken; <see cref="BodyRelay.Reason"/> says how.</summary>
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

/// <summary>Moves one body from a source to a sink, and nothing else.</summary>
/// <remarks>
/// One flush per read, not per chunk: an event of a stream leaves as soon as it came, and a burst of small chunks still leaves as one packet. A long run
/// is passed to the sink where it lies; what is short is copied, so that head, body and last chunk leave together. Reused: <see cref="Start"/> resets it.
/// </remarks>
internal sealed class BodyRelay
{
    /// <summary>Runs below this many bytes are copied: cheaper than a second call.</summary>
    private const int CopyBelowBytes = 4 * 1024;

    private BodyFraming _framing;
    private SinkForm _form;
    private volatile RelayPhase _phase;
    private uint _steps;
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

    public RefusalReason Reason { get; private set; }

    public bool IsComplete => _framing.IsComplete;

    public RelayPhase Phase => _phase;

    /// <summary>Changes with every read and every write: a heartbeat that sees it unchanged sees a relay that waits.</summary>
    public uint Steps => Volatile.Read(ref _steps);

    /// <summary>Bytes of the source that belonged to the body so far.</summary>
    public long MovedBytes => Volatile.Read(ref _movedBytes);

    /// <summary>Prepares for one body.</summary>
    /// <param name="framing">How the body's end is found in the source.</param>
    /// <param name="form">How it leaves.</param>
    /// <param name="maxDataBytes">The largest chunked body; a declared length has been judged before.</param>
    /// <param name="maxOverheadBytes">Bytes of chunk extensions, and of trailers.</param>
    public void Start(in BodyFraming framing, SinkForm form, long maxDataBytes, int maxOverheadBytes)
    {
        _framing = framing;
        _framing.Bound(maxDataBytes, maxOverheadBytes, dataOnly: form is not SinkForm.AsReceived);
        _form = form;
        Reason = RefusalReason.None;
        _movedBytes = 0;
        _phase = RelayPhase.Resting;
    }

    /// <summary>Writes what belongs to the body to the sink, without flushing.</summary>
    /// <param name="received">Bytes of the source.</param>
    /// <param name="sink">Receives copies of short runs.</param>
    /// <param name="tail">A long last run, which is to be passed to the sink's WriteAsync and flushes it.</param>
    /// <param name="consumed">The bytes before this position belong to the body.</param>
    /// <returns>False where the framing is broken: then <see cref="Reason"/> is set.</returns>
    public bool Pump(in ReadOnlySequence<byte> received, PipeWriter sink, out ReadOnlyMemory<byte> tail, out SequencePosition consumed)
    {
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

    /// <summary>Relays until the framing says that the body is over.</summary>
    /// <remarks>Cut short by CancelPendingRead or CancelPendingFlush, never by a token, so a read registers nothing.</remarks>
    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder<>))]
    public async ValueTask<RelayEnd> RunAsync(PipeReader source, PipeWriter sink)
    {
        while (!_framing.IsComplete)
        {
            EnterPhase(RelayPhase.Reading);
            ReadResult read = await source.ReadAsync().ConfigureAwait(false);
            bool sound = Pump(read.Buffer, sink, out ReadOnlyMemory<byte> tail, out SequencePosition consumed);
            bool atEnd = read.IsCompleted && !read.IsCanceled;
            if (atEnd && sound && _framing.Kind is FramingKind.UntilClose && !EndedByFault(source))
            {
                WriteLastChunk(sink);
            }

            EnterPhase(RelayPhase.Writing);
            FlushResult flush = await sink.WriteAsync(tail).ConfigureAwait(false);
            source.AdvanceTo(consumed);
            RelayEnd? end = Judge(sound, flush, atEnd, read.IsCanceled, source);
            if (end is not null)
            {
                EnterPhase(RelayPhase.Resting);
                return end.Value;
            }
        }

        EnterPhase(RelayPhase.Resting);
        return RelayEnd.Complete;
    }

    /// <summary>Where the source can tell: it broke off, and what came is not whole.</summary>
    private static bool EndedByFault(PipeReader source) => source is IFaultAware { EndedByFault: true };

    private RelayEnd? Judge(bool sound, FlushResult flush, bool atEnd, bool canceled, PipeReader source)
    {
        if (!sound)
        {
            return RelayEnd.Malformed;
        }

        if (flush.IsCanceled || canceled)
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

        if (!atEnd)
        {
            return null;
        }

        return _framing.Kind is FramingKind.UntilClose && !EndedByFault(source) ? RelayEnd.Complete : RelayEnd.SourceEnded;
    }

    private bool PumpSegment(ReadOnlyMemory<byte> segment, PipeWriter sink, out ReadOnlyMemory<byte> tail, out int read)
    {
        ReadOnlySpan<byte> bytes = segment.Span;
        read = 0;
        int runStart = 0;
        int runLength = 0;
        while (read < bytes.Length && !_framing.IsComplete)
        {
            Step step = _framing.Next(bytes[read..]);
            if (step.Kind is StepKind.Reject)
            {
                Reason = step.Reason;
                tail = default;
                return false;
            }

            if (step.Kind is StepKind.Take && step.Length > 0)
            {
                if (runStart + runLength != read)
                {
                    sink.Write(bytes.Slice(runStart, runLength));
                    runStart = read;
                    runLength = 0;
                }
                else if (runLength == 0)
                {
                    runStart = read;
                }

                runLength += step.Length;
            }

            read += step.Length;
        }

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
        if (owesLastChunk && segment.Span[(runStart + runLength)..read].SequenceEqual("0\r\n\r\n"u8))
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
            sink.Write("0\r\n\r\n"u8);
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

    private void WriteLastChunk(PipeWriter sink)
    {
        if (_form is SinkForm.Chunked)
        {
            sink.Write("0\r\n\r\n"u8);
        }
    }

    /// <summary>Tells the heartbeat what is waited for now.</summary>
    public void EnterPhase(RelayPhase phase)
    {
        _phase = phase;
        Volatile.Write(ref _steps, _steps + 1);
    }
}
