using System.Diagnostics;

namespace McpProxyFast.Http1;

/// <summary>The four ways to find the end of a body, RFC 9112 §6.3.</summary>
internal enum FramingKind : byte
{
    None,
    Length,
    Chunked,
    UntilClose,
}

/// <summary>How the end of one body is found, and how far the body has been read.</summary>
/// <remarks>
/// A mutable struct: it is a field of its owner, never read-only, and is not copied while the body is read. For a chunked body it contains the limits, so a
/// copy has them too.
/// </remarks>
internal struct BodyFraming
{
    /// <summary>The framing of a chunked body. Valid for <see cref="FramingKind.Chunked"/>.</summary>
    private ChunkedFraming _chunked;

    /// <summary>How many bytes of a body with a declared length have not been read. Valid for <see cref="FramingKind.Length"/>.</summary>
    private long _left;

    public FramingKind Kind { get; private init; }

    /// <summary>The declared length in bytes; 0 for every kind but <see cref="FramingKind.Length"/>.</summary>
    public long DeclaredLength { get; private init; }

    /// <summary>Whether the body has been read to its end. Never true for a body that ends when its connection closes.</summary>
    public readonly bool IsComplete => Kind switch
    {
        FramingKind.Length => _left == 0,
        FramingKind.Chunked => _chunked.IsComplete,
        FramingKind.UntilClose => false,
        _ => true,
    };

    public static BodyFraming OfLength(long length)
    {
        Debug.Assert(length >= 0, "A length is not negative.");
        return new() { Kind = FramingKind.Length, DeclaredLength = length, _left = length };
    }

    /// <param name="limits">The limits of the body; one that exceeds them is rejected.</param>
    public static BodyFraming OfChunks(in BodyLimits limits) => new() { Kind = FramingKind.Chunked, _chunked = new ChunkedFraming(limits) };

    public static BodyFraming UntilClose() => new() { Kind = FramingKind.UntilClose };

    /// <summary>A copy that takes only the data of a chunked body and drops the chunk lines. For a receiver that does not use chunks.</summary>
    public readonly BodyFraming AsDataOnly() => this with { _chunked = _chunked.AsDataOnly() };

    /// <summary>
    /// A copy that drops the chunk lines from here on and takes only the data. May be made in the middle of a body, since it only serves to inspect the body.
    /// </summary>
    public readonly BodyFraming AsDataFromHere() => this with { _chunked = _chunked.AsDataFromHere() };

    /// <summary>
    /// Decides what to do with the first bytes of <paramref name="input"/>, which is not empty. Must not be called once the body is complete.
    /// </summary>
    public Step Next(ReadOnlySpan<byte> input)
    {
        Debug.Assert(!input.IsEmpty, "There are bytes to look at.");
        Debug.Assert(!IsComplete, "A complete body has no next bytes.");
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

    /// <summary>
    /// Reads the framing fields of a head, RFC 9112 §6.3 rules 3 to 6. Both fields at once, repeated fields and unusual values are rejected, never repaired.
    /// </summary>
    /// <param name="head">A head whose field lines have all been read.</param>
    /// <param name="limits">The limits of a chunked body.</param>
    /// <param name="framing">The framing: Length, Chunked, or None if the head has no framing field.</param>
    public static Violation Read(MessageHead head, in BodyLimits limits, out BodyFraming framing)
    {
        framing = default;
        bool hasLength = head.Fields.Has(KnownField.ContentLength);
        if (head.Fields.Has(KnownField.TransferEncoding))
        {
            return hasLength ? Violation.LengthAndTransferEncoding : ReadTransferEncoding(head, limits, ref framing);
        }

        if (!hasLength)
        {
            return Violation.None;
        }

        if (head.Fields.Single(KnownField.ContentLength, out int line) is not Occurrence.Once)
        {
            return Violation.LengthRepeated;
        }

        if (!TryReadNumber(head.Value(head.Fields.Slots[line]), out long length))
        {
            return Violation.LengthInvalid;
        }

        framing = OfLength(length);
        return Violation.None;
    }

    private static Violation ReadTransferEncoding(MessageHead head, in BodyLimits limits, ref BodyFraming framing)
    {
        if (head.Fields.Single(KnownField.TransferEncoding, out int line) is not Occurrence.Once || head.MinorVersion == 0)
        {
            return Violation.TransferEncodingInvalid;
        }

        ReadOnlySpan<byte> coding = head.Value(head.Fields.Slots[line]);
        if (System.Text.Ascii.EqualsIgnoreCase(coding, "chunked"u8))
        {
            framing = OfChunks(limits);
            return Violation.None;
        }

        // A single other coding is not supported (501). Anything else is invalid (400): lists, parameters and misspelt names are used for request smuggling.
        return !coding.IsEmpty && !coding.ContainsAnyExcept(Grammar.TokenBytes) && !coding.StartsWith("chunked"u8)
            ? Violation.TransferEncodingNotSupported
            : Violation.TransferEncodingInvalid;
    }

    /// <summary>Reads a number as in <c>Content-Length</c>: <c>1*DIGIT</c>, below 2^63, without sign, list or spaces.</summary>
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
