using System.Diagnostics;

namespace McpProxyFast.Http1;

/// <summary>The common part of a request head and a response head: the received bytes, and where the field lines are in them.</summary>
/// <remarks>
/// The object is reused. The bytes belong to the receive buffer; they are valid until the reader is advanced past them. Parsing can stop at any byte and
/// continue when more bytes have arrived.
/// </remarks>
internal abstract class MessageHead
{
    /// <summary>The framing of the body; valid once the head is complete.</summary>
    private BodyFraming _framing;

    /// <summary>A checksum of the bytes before <see cref="Parsed"/>, to detect that they have changed. Set only in Debug builds.</summary>
    private int _parsedChecksum;

    public ReadOnlyMemory<byte> Bytes { get; private set; }

    public FieldTable Fields { get; } = new();

    /// <summary>The size of the head in bytes, including the empty line at its end; 0 until the head is complete.</summary>
    public int Length { get; protected set; }

    /// <summary>Where the field lines start: the length of the start line with its CRLF; 0 until it is known.</summary>
    public int FieldsStart { get; protected set; }

    /// <summary>Where the next line starts that has not been parsed.</summary>
    public int Parsed { get; set; }

    /// <summary>0 for HTTP/1.0, 1 for HTTP/1.1.</summary>
    public int MinorVersion { get; protected set; }

    /// <summary>How the end of the body is found. Valid once the head is complete.</summary>
    public ref readonly BodyFraming Framing => ref _framing;

    /// <summary>Whether the connection may carry another message after this one, as far as the sender says (RFC 9112 §9.3).</summary>
    public bool KeepsAlive { get; protected set; }

    public ReadOnlySpan<byte> Span => Bytes.Span[..Length];

    public ReadOnlySpan<byte> Name(in FieldSlot slot) => Bytes.Span.Slice(slot.LineStart, slot.NameLength);

    public ReadOnlySpan<byte> Value(in FieldSlot slot) => Bytes.Span.Slice(slot.ValueStart, slot.ValueLength);

    /// <summary>The value of the line with this name; empty if the head has no such line, or several.</summary>
    public ReadOnlySpan<byte> Value(KnownField known)
    {
        Occurrence found = Fields.Single(known, out int index);
        return found is Occurrence.Once ? Value(Fields.Slots[index]) : default;
    }

    /// <summary>Where the line with this index in <see cref="Fields"/> ends, including its CRLF. The next line begins there.</summary>
    public int LineEnd(int index) => index + 1 < Fields.Count ? Fields.Slots[index + 1].LineStart : Length - 2;

    /// <summary>Sets the bytes received so far. They must begin with the bytes of the last call, but may be at another place in memory.</summary>
    public void SetBytes(ReadOnlyMemory<byte> received)
    {
        Debug.Assert(received.Length >= Parsed && ChecksumOf(received.Span[..Parsed]) == _parsedChecksum, "The bytes start with those of the last call.");
        Bytes = received;
    }

    /// <summary>Called when the end of the head has been found: checks the rules that concern several lines.</summary>
    /// <param name="length">The size of the head in bytes, including the empty line at its end.</param>
    /// <param name="limits">The limits of the body.</param>
    public Violation Complete(int length, in BodyLimits limits)
    {
        Debug.Assert(Length == 0, "A head is completed once.");
        Debug.Assert(length <= ushort.MaxValue, "Every offset fits in 16 bits.");
        Length = length;
        return Validate(limits);
    }

    /// <summary>Records a checksum of the parsed bytes, with which Debug builds check that these bytes do not change. Called whenever parsing stops.</summary>
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

    /// <summary>Reads the start line, which is given without its CRLF.</summary>
    public abstract Violation TakeStartLine(ReadOnlySpan<byte> line);

    /// <summary>Returns what is wrong with a start line that is too long.</summary>
    /// <param name="start">As many bytes of the line as it may have.</param>
    public abstract Violation FaultOfLongStartLine(ReadOnlySpan<byte> start);

    protected abstract Violation Validate(in BodyLimits limits);

    /// <summary>Sets <see cref="Framing"/> from the framing fields.</summary>
    protected Violation ReadFraming(in BodyLimits limits) => BodyFraming.Read(this, limits, out _framing);

    /// <summary>Sets <see cref="Framing"/> in cases where the framing fields alone do not decide it.</summary>
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
