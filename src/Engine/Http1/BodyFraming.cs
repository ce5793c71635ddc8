using System.Diagnostics;
using McpProxyFast.Outcomes;

namespace McpProxyFast.Http1;

/// <summary>The four ways in which a body ends, RFC 9112 §6.3.</summary>
internal enum FramingKind : byte
{
    None,
    Length,
    Chunked,
    UntilClose,
}

/// <summary>How one body's end is found, and how far it has been read.</summary>
/// <remarks>A mutable struct: a field of its relay, never read-only and never copied while it is read.</remarks>
internal struct BodyFraming
{
    private ChunkedFraming _chunked;
    private long _left;

    public FramingKind Kind { get; private init; }

    /// <summary>The declared length in bytes; 0 for every other kind.</summary>
    public long DeclaredLength { get; private init; }

    /// <summary>The body has been read to its end. A body until close never is; its source's end ends it.</summary>
    public readonly bool IsComplete => Kind switch
    {
        FramingKind.Length => _left == 0,
        FramingKind.Chunked => _chunked.IsComplete,
        FramingKind.UntilClose => false,
        _ => true,
    };

    public static BodyFraming OfLength(long length) => new() { Kind = FramingKind.Length, DeclaredLength = length, _left = length };

    public static BodyFraming OfChunks() => new() { Kind = FramingKind.Chunked };

    public static BodyFraming UntilClose() => new() { Kind = FramingKind.UntilClose };

    /// <summary>Sets the bounds of a chunked body, and whether its chunk lines go on with the data.</summary>
    /// <param name="maxDataBytes">Bytes of data before <see cref="RefusalReason.BodyTooLarge"/>.</param>
    /// <param name="maxOverheadBytes">Bytes of extensions, and of trailers, before <see cref="RefusalReason.ChunkOverheadTooLarge"/>.</param>
    /// <param name="dataOnly">The sink is not chunked: only the data is taken.</param>
    public void Bound(long maxDataBytes, int maxOverheadBytes, bool dataOnly) => _chunked = new ChunkedFraming(maxDataBytes, maxOverheadBytes, dataOnly);

    /// <summary>Says what to do with the first bytes of <paramref name="input"/>, which is not empty. Not to be called once complete.</summary>
    public Step Next(ReadOnlySpan<byte> input)
    {
        switch (Kind)
        {
            case FramingKind.Length:
                int length = (int)Math.Min(input.Length, _left);
                _left -= length;
                return Step.Take(length);
            case FramingKind.Chunked:
                return _chunked.Next(input);
            case FramingKind.UntilClose:
                return Step.Take(input.Length);
            default:
                throw new UnreachableException("A message without a body has no bytes to frame.");
        }
    }

    /// <summary>Reads the framing fields of a head, RFC 9112 §6.3 rules 3 to 6: both at once, repeated or odd ones are refused, never repaired.</summary>
    /// <param name="head">A head whose field lines are all known.</param>
    /// <param name="framing">Length, Chunked, or None where no framing field stands in the head.</param>
    public static RefusalReason Read(MessageHead head, out BodyFraming framing)
    {
        framing = default;
        bool hasLength = head.Fields.Has(KnownField.ContentLength);
        if (head.Fields.Has(KnownField.TransferEncoding))
        {
            return hasLength ? RefusalReason.LengthAndTransferEncoding : ReadTransferEncoding(head, ref framing);
        }

        if (!hasLength)
        {
            return RefusalReason.None;
        }

        int line = head.Fields.Single(KnownField.ContentLength);
        if (line < 0)
        {
            return RefusalReason.LengthRepeated;
        }

        if (!TryReadNumber(head.Value(head.Fields.Slots[line]), out long length))
        {
            return RefusalReason.LengthInvalid;
        }

        framing = OfLength(length);
        return RefusalReason.None;
    }

    private static RefusalReason ReadTransferEncoding(MessageHead head, ref BodyFraming framing)
    {
        int line = head.Fields.Single(KnownField.TransferEncoding);
        if (line < 0 || head.MinorVersion == 0)
        {
            return RefusalReason.TransferEncodingInvalid;
        }

        ReadOnlySpan<byte> coding = head.Value(head.Fields.Slots[line]);
        if (System.Text.Ascii.EqualsIgnoreCase(coding, "chunked"u8))
        {
            framing = OfChunks();
            return RefusalReason.None;
        }

        // A single other coding is well formed but not ours (501). Lists, parameters and near misses
        // are what smuggling is made of (400).
        return !coding.IsEmpty && !coding.ContainsAnyExcept(Grammar.TokenBytes) && !coding.StartsWith("chunked"u8)
            ? RefusalReason.TransferEncodingNotSupported
            : RefusalReason.TransferEncodingInvalid;
    }

    /// <summary><c>1*DIGIT</c>, below 2^63, as of <c>Content-Length</c>. No sign, no list, no blanks within.</summary>
    public static bool TryReadNumber(ReadOnlySpan<byte> value, out long number)
    {
        number = 0;
        if (value.IsEmpty)
        {
            return false;
        }

        foreach (byte digit in value)
        {
            int one = digit - '0';
            if (one is < 0 or > 9 || number > (long.MaxValue - one) / 10)
            {
                return false;
            }

            number = (number * 10) + one;
        }

        return true;
    }
}
