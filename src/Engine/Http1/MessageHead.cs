using System.Diagnostics;

namespace McpProxyFast.Http1;

/// <summary>What a request head and a response head have in common: the received bytes, and where the field lines lie in them.</summary>
/// <remarks>
/// Reused. The bytes are those of the receive buffer; they stay valid as long as the reader has not been advanced past them.
/// Parsing can stop at any byte and go on when more have come.
/// </remarks>
internal abstract class MessageHead
{
    /// <summary>Valid once the head is complete.</summary>
    private BodyFraming _framing;

    /// <summary>Of the bytes before <see cref="Parsed"/>; kept in Debug builds only.</summary>
    private int _parsedChecksum;

    public ReadOnlyMemory<byte> Bytes { get; private set; }

    public FieldTable Fields { get; } = new();

    /// <summary>Bytes of the head, its last empty line included; 0 until it is complete.</summary>
    public int Length { get; protected set; }

    /// <summary>Where the field lines start: the start line's length with its CRLF; 0 until it is known.</summary>
    public int FieldsStart { get; protected set; }

    /// <summary>Where the next unread line starts.</summary>
    public int Parsed { get; set; }

    /// <summary>0 for HTTP/1.0, 1 for HTTP/1.1.</summary>
    public int MinorVersion { get; protected set; }

    /// <summary>How the body's end is found.</summary>
    public ref readonly BodyFraming Framing => ref _framing;

    /// <summary>The sender allows the connection to carry another message (RFC 9112 §9.3).</summary>
    public bool KeepsAlive { get; protected set; }

    public ReadOnlySpan<byte> Span => Bytes.Span[..Length];

    public ReadOnlySpan<byte> Name(in FieldSlot slot) => Bytes.Span.Slice(slot.LineStart, slot.NameLength);

    public ReadOnlySpan<byte> Value(in FieldSlot slot) => Bytes.Span.Slice(slot.ValueStart, slot.ValueLength);

    /// <summary>The value of the only line with this name; empty if there is none or several.</summary>
    public ReadOnlySpan<byte> Value(KnownField known)
    {
        Occurrence found = Fields.Single(known, out int index);
        return found is Occurrence.Once ? Value(Fields.Slots[index]) : default;
    }

    /// <summary>Where the line of a slot ends, its CRLF included: where the next begins.</summary>
    public int LineEnd(int index) => index + 1 < Fields.Count ? Fields.Slots[index + 1].LineStart : Length - 2;

    /// <summary>Sets the bytes received so far. They start with those of the last call, though they may have moved.</summary>
    public void SetBytes(ReadOnlyMemory<byte> received)
    {
        Debug.Assert(received.Length >= Parsed && ChecksumOf(received.Span[..Parsed]) == _parsedChecksum, "The bytes start with those of the last call.");
        Bytes = received;
    }

    /// <summary>The end of the head has been found: validates what spans several lines.</summary>
    /// <param name="length">Bytes of the head, its last empty line included.</param>
    /// <param name="limits">The bounds of its body.</param>
    public Violation Complete(int length, in BodyLimits limits)
    {
        Debug.Assert(Length == 0, "A head is completed once.");
        Debug.Assert(length <= ushort.MaxValue, "Every offset fits in 16 bits.");
        Length = length;
        return Validate(limits);
    }

    /// <summary>Debug builds check with it that the bytes stay the same. Called whenever parsing stops.</summary>
    [Conditional("DEBUG")]
    public void RememberParsed() => _parsedChecksum = ChecksumOf(Bytes.Span[..Parsed]);

    public virtual void Clear()
    {
        Bytes = default;
        Fields.Clear();
        Length = 0;
        FieldsStart = 0;
        Parsed = 0;
        MinorVersion = 0;
        _framing = default;
        _parsedChecksum = 0;
        KeepsAlive = false;
    }

    /// <summary>Reads the start line that ends at <paramref name="line"/>'s end, without its CRLF.</summary>
    public abstract Violation TakeStartLine(ReadOnlySpan<byte> line);

    protected abstract Violation Validate(in BodyLimits limits);

    /// <summary>Sets <see cref="Framing"/> to what the framing fields say.</summary>
    protected Violation ReadFraming(in BodyLimits limits) => BodyFraming.Read(this, limits, out _framing);

    /// <summary>Sets <see cref="Framing"/> to what follows from more than the framing fields.</summary>
    protected void SetFraming(in BodyFraming framing) => _framing = framing;

    private static int ChecksumOf(ReadOnlySpan<byte> bytes)
    {
        if (bytes.IsEmpty)
        {
            return 0;
        }

        var checksum = default(HashCode);
        checksum.AddBytes(bytes);
        return checksum.ToHashCode();
    }
}
