using System.Diagnostics;

namespace McpProxyFast.Http1;

/// <summary>Finds the end of a chunked body, and decides which bytes are sent on: the chunks in plain form, without extensions and leading zeros.</summary>
/// <remarks>
/// RFC 9112 §7.1. The result does not depend on how the input is split into reads. Extensions, leading zeros, the last chunk and the trailer section are
/// checked, limited and dropped. The relay writes its own last chunk once the framing is complete, so that a body that was cut can never look complete.
/// </remarks>
internal struct ChunkedFraming(in BodyLimits limits)
{
    private const int MaxSizeDigits = 16;

    /// <summary>The maximum size of all chunks together, in bytes.</summary>
    private readonly long _maxDataBytes = limits.MaxDataBytes;

    /// <summary>The maximum number of bytes of all extensions in the body, and also, counted separately, of its trailer section.</summary>
    private readonly int _maxOverheadBytes = limits.MaxOverheadBytes;

    /// <summary>Whether chunk lines are dropped, so that only the data is sent on.</summary>
    private bool _dataOnly;

    /// <summary>What kind of byte must come next.</summary>
    private State _state;

    /// <summary>Reads the extensions of the current chunk line. Valid in <see cref="State.Extension"/>.</summary>
    private ChunkExtension _extension;

    /// <summary>The number of digits of the current chunk's size so far, leading zeros included.</summary>
    private int _digits;

    /// <summary>The number of bytes of extensions in the whole body so far.</summary>
    private int _extensionBytes;

    /// <summary>The number of bytes of the trailer section so far.</summary>
    private int _trailerBytes;

    /// <summary>The current chunk's size, from the digits that have been read.</summary>
    private long _size;

    /// <summary>How many bytes of the current chunk's data are still to come; valid once the CR of its size line has been read.</summary>
    private long _dataLeft;

    /// <summary>The size of all chunks so far in bytes; includes the current chunk once its size is known.</summary>
    private long _dataBytes;

    private enum State : byte
    {
        SizeStart,
        Zeros,
        Size,
        Extension,
        SizeLf,
        Data,
        DataCr,
        DataLf,
        TrailerStart,
        TrailerName,
        TrailerValue,
        TrailerLf,
        FinalLf,
        Complete,
    }

    public readonly bool IsComplete => _state is State.Complete;

    /// <summary>A copy that takes only the data. Must be made before the first byte is read, because chunk lines that were sent cannot be taken back.</summary>
    public readonly ChunkedFraming AsDataOnly()
    {
        Debug.Assert(_state is State.SizeStart && _dataBytes == 0, "The form is chosen before the first byte.");
        return this with { _dataOnly = true };
    }

    /// <summary>
    /// A copy that drops the chunk lines from here on and takes only the data. May be made in the middle of a body, since it only serves to inspect the body.
    /// </summary>
    public readonly ChunkedFraming AsDataFromHere() => this with { _dataOnly = true };

    public Step Next(ReadOnlySpan<byte> input)
    {
        // The usual case: complete plain chunks are taken as one run.
        if (_state is State.SizeStart && !_dataOnly)
        {
            int run = TakePlainChunks(input);
            if (run > 0)
            {
                return Step.Take(run);
            }
        }

        return _state switch
        {
            State.SizeStart => TakeSizeStart(input[0]),
            State.Zeros => TakeZeros(input),
            State.Size => TakeSize(input),
            State.Extension => DropExtension(input),
            State.SizeLf => TakeSizeLf(input[0]),
            State.Data => TakeData(input),
            State.DataCr => TakeExact(input[0], (byte)'\r', State.DataLf, Violation.ChunkEndInvalid),
            State.DataLf => TakeExact(input[0], (byte)'\n', State.SizeStart, Violation.ChunkEndInvalid),
            State.TrailerStart => StartTrailer(input[0]),
            State.TrailerName => DropTrailerName(input),
            State.TrailerValue => DropTrailerValue(input),
            State.TrailerLf => DropExact(input[0], State.TrailerStart),
            State.FinalLf => DropExact(input[0], State.Complete),
            _ => throw new UnreachableException("A complete body has no next bytes."),
        };
    }

    /// <summary>Takes the first chunks of the input while they are complete, plain (no leading zero or extension) and allowed. Returns their length.</summary>
    private int TakePlainChunks(ReadOnlySpan<byte> input)
    {
        int run = 0;
        while (true)
        {
            ReadOnlySpan<byte> rest = input[run..];
            int digits = ReadPlainSize(rest, out long size);
            if (digits == 0 || size > rest.Length - digits - 4 || _dataBytes + size > _maxDataBytes)
            {
                return run;
            }

            ReadOnlySpan<byte> end = rest.Slice(digits + 2 + (int)size, 2);
            if (end[0] != (byte)'\r' || end[1] != (byte)'\n')
            {
                return run;
            }

            Debug.Assert(_dataBytes <= _maxDataBytes - size, "The limit holds for plain chunks too.");
            _dataBytes += size;
            run += digits + 2 + (int)size + 2;
        }
    }

    /// <summary>
    /// Returns the number of digits of the size if the input begins with a plain size line, at most seven digits long and not the last chunk's; otherwise 0.
    /// </summary>
    private static int ReadPlainSize(ReadOnlySpan<byte> input, out long size)
    {
        const int fewDigits = 7; // 28 bits, so that sums of a size and an offset fit in an int
        size = 0;
        int digits = 0;
        while (digits < input.Length && digits <= fewDigits && Grammar.HexValue(input[digits]) is >= 0 and int value)
        {
            size = (size << 4) + value;
            digits++;
        }

        bool plain = digits is > 0 and <= fewDigits
            && input[0] != (byte)'0'
            && input.Length >= digits + 2
            && input[digits] == (byte)'\r'
            && input[digits + 1] == (byte)'\n';
        return plain ? digits : 0;
    }

    private Step TakeSizeStart(byte first)
    {
        if (Grammar.HexValue(first) < 0)
        {
            return Step.Reject(Violation.ChunkSizeInvalid);
        }

        _size = 0;
        _digits = 0;
        _state = first == (byte)'0' ? State.Zeros : State.Size;
        return Step.Drop(0);
    }

    /// <summary>Drops leading zeros, so that a size is always sent on in the same form.</summary>
    private Step TakeZeros(ReadOnlySpan<byte> input)
    {
        int zeros = input.IndexOfAnyExcept((byte)'0');
        int length = zeros < 0 ? input.Length : zeros;
        _digits += length;
        if (_digits > MaxSizeDigits)
        {
            return Step.Reject(Violation.ChunkSizeTooLarge);
        }

        if (zeros >= 0)
        {
            _state = State.Size;
        }

        return Step.Drop(length);
    }

    private Step TakeSize(ReadOnlySpan<byte> input)
    {
        int taken = 0;
        while (taken < input.Length && Grammar.HexValue(input[taken]) is >= 0 and int value)
        {
            if (++_digits > MaxSizeDigits || _size > long.MaxValue >> 4)
            {
                return Step.Reject(Violation.ChunkSizeTooLarge);
            }

            _size = (_size << 4) + value;
            taken++;
        }

        if (taken > 0)
        {
            return ForwardFraming(taken);
        }

        return input[0] switch
        {
            (byte)'\r' => EndSize(),
            (byte)';' => StartExtension(),
            _ => Step.Reject(Violation.ChunkSizeInvalid),
        };
    }

    private Step StartExtension()
    {
        _state = State.Extension;
        _extension = default;
        return Step.Drop(0);
    }

    /// <summary>Drops a <c>chunk-ext</c> (§7.1.1). It must be well formed, and all extensions of the body together are limited.</summary>
    private Step DropExtension(ReadOnlySpan<byte> input)
    {
        int length = 0;
        while (length < input.Length && _extension.TryTake(input[length]))
        {
            length++;
        }

        _extensionBytes += length;
        if (_extensionBytes > _maxOverheadBytes)
        {
            return Step.Reject(Violation.ChunkOverheadTooLarge);
        }

        if (length > 0)
        {
            return Step.Drop(length);
        }

        return input[0] == (byte)'\r' && _extension.IsWhole ? EndSize() : Step.Reject(Violation.ChunkExtensionInvalid);
    }

    /// <summary>Handles the CR of the size line. Checks the limit of the body's data before any data of this chunk is sent on.</summary>
    private Step EndSize()
    {
        if (_size > _maxDataBytes - _dataBytes)
        {
            return Step.Reject(Violation.BodyTooLarge);
        }

        Debug.Assert(_dataLeft == 0, "The chunk before is over.");
        _dataBytes += _size;
        _dataLeft = _size;
        _state = State.SizeLf;
        return _size == 0 ? Step.Drop(1) : ForwardFraming(1);
    }

    private Step TakeSizeLf(byte lf)
    {
        if (lf != (byte)'\n')
        {
            return Step.Reject(Violation.ChunkSizeInvalid);
        }

        bool isLast = _size == 0;
        _state = isLast ? State.TrailerStart : State.Data;
        return isLast ? Step.Drop(1) : ForwardFraming(1);
    }

    private Step TakeData(ReadOnlySpan<byte> input)
    {
        int length = (int)Math.Min(input.Length, _dataLeft);
        _dataLeft -= length;
        if (_dataLeft == 0)
        {
            _state = State.DataCr;
        }

        return Step.Take(length);
    }

    private Step TakeExact(byte actual, byte expected, State next, Violation otherwise)
    {
        if (actual != expected)
        {
            return Step.Reject(otherwise);
        }

        _state = next;
        return ForwardFraming(1);
    }

    private Step StartTrailer(byte first)
    {
        _state = first == (byte)'\r' ? State.FinalLf : State.TrailerName;
        return first == (byte)'\r' ? Step.Drop(1)
            : Grammar.TokenBytes.Contains(first) ? Step.Drop(0)
            : Step.Reject(Violation.TrailerInvalid);
    }

    private Step DropTrailerName(ReadOnlySpan<byte> input)
    {
        int end = input.IndexOfAnyExcept(Grammar.TokenBytes);
        if (end < 0)
        {
            return DropTrailerBytes(input.Length);
        }

        _state = State.TrailerValue;
        Step dropped = DropTrailerBytes(end + 1);
        return dropped.Kind is StepKind.Drop && input[end] != (byte)':' ? Step.Reject(Violation.TrailerInvalid) : dropped;
    }

    private Step DropTrailerValue(ReadOnlySpan<byte> input)
    {
        int end = input.IndexOfAny(Grammar.ControlBytes);
        if (end < 0)
        {
            return DropTrailerBytes(input.Length);
        }

        _state = State.TrailerLf;
        Step dropped = DropTrailerBytes(end + 1);
        return dropped.Kind is StepKind.Drop && input[end] != (byte)'\r' ? Step.Reject(Violation.TrailerInvalid) : dropped;
    }

    /// <summary>Drops and counts trailer bytes. Callers check the last byte later: so the first violation does not depend on how the input is split.</summary>
    private Step DropTrailerBytes(int length)
    {
        _trailerBytes += length;
        return _trailerBytes > _maxOverheadBytes ? Step.Reject(Violation.ChunkOverheadTooLarge) : Step.Drop(length);
    }

    private Step DropExact(byte actual, State next)
    {
        if (actual != (byte)'\n')
        {
            return Step.Reject(Violation.TrailerInvalid);
        }

        _state = next;
        return Step.Drop(1);
    }

    private readonly Step ForwardFraming(int length) => _dataOnly ? Step.Drop(length) : Step.Take(length);
}
