using McpProxyFast.Outcomes;

namespace McpProxyFast.Http1;

/// <summary>What a request head and a response head have in common: the received bytes, and where the field lines lie in them.</summary>
/// <remarks>
/// Reused. The bytes are those of the receive buffer; they stay valid as long as the reader has not been advanced past them.
/// Parsing can stop at any byte and go on when more have come.
/// </remarks>
internal abstract class MessageHead
{
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
    public BodyFraming Framing { get; protected set; }

    /// <summary>The sender allows the connection to carry another message (RFC 9112 §9.3).</summary>
    public bool KeepAlive { get; protected set; }

    public ReadOnlySpan<byte> Span => Bytes.Span[..Length];

    public ReadOnlySpan<byte> Name(in FieldSlot slot) => Bytes.Span.Slice(slot.LineStart, slot.NameLength);

    public ReadOnlySpan<byte> Value(in FieldSlot slot) => Bytes.Span.Slice(slot.ValueStart, slot.ValueLength);

    /// <summary>The value of the only line with this name; empty where there is none or several.</summary>
    public ReadOnlySpan<byte> Value(KnownField known)
    {
        int index = Fields.Single(known);
        return index < 0 ? default : Value(Fields.Slots[index]);
    }

    /// <summary>Where the line of a slot ends, its CRLF included: where the next begins.</summary>
    public int LineEnd(int index) => index + 1 < Fields.Count ? Fields.Slots[index + 1].LineStart : Length - 2;

    /// <summary>Shows the parser the bytes received so far. They start with those of the last call.</summary>
    public void Show(ReadOnlyMemory<byte> received) => Bytes = received;

    /// <summary>The end of the head has been found: judges what spans several lines.</summary>
    public RefusalReason Complete(int length)
    {
        Length = length;
        return Judge();
    }

    public virtual void Clear()
    {
        Bytes = default;
        Fields.Clear();
        Length = 0;
        FieldsStart = 0;
        Parsed = 0;
        MinorVersion = 0;
        Framing = default;
        KeepAlive = false;
    }

    /// <summary>Reads the start line that ends at <paramref name="line"/>'s end, without its CRLF.</summary>
    public abstract RefusalReason TakeStartLine(ReadOnlySpan<byte> line);

    protected abstract RefusalReason Judge();
}
