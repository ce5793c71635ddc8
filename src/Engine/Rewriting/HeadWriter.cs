using System.Buffers.Text;
using McpProxyFast.Http1;

namespace McpProxyFast.Rewriting;

/// <summary>Builds a head in one span: copies received bytes and bytes that were prepared before.</summary>
internal ref struct HeadWriter(Span<byte> room)
{
    private readonly Span<byte> _room = room;

    public int Length { get; private set; }

    public void Add(scoped ReadOnlySpan<byte> bytes)
    {
        bytes.CopyTo(_room[Length..]);
        Length += bytes.Length;
    }

    public void Add(long number)
    {
        Utf8Formatter.TryFormat(number, _room[Length..], out int digits);
        Length += digits;
    }

    /// <summary>Writes the framing fields for this framing. Received framing fields are never copied (RFC 9112 §6.3).</summary>
    public void AddFraming(FramingKind kind, long length)
    {
        if (kind is FramingKind.Length)
        {
            Add("Content-Length: "u8);
            Add(length);
            Add("\r\n"u8);
        }
        else if (kind is FramingKind.Chunked)
        {
            Add("Transfer-Encoding: chunked\r\n"u8);
        }
    }

    /// <summary>
    /// Copies the field lines, except those in <paramref name="drops"/>, those with a replaced name, and those that <c>Connection</c> names. Adjacent lines are
    /// copied together.
    /// </summary>
    public void AddFields(MessageHead head, FieldSet drops, ReplacedNames? replaced = null)
    {
        ReadOnlySpan<byte> bytes = head.Span;
        int runStart = head.FieldsStart;
        Span<FieldSlot> slots = head.Fields.Slots;
        for (int i = 0; i < slots.Length; i++)
        {
            ref FieldSlot slot = ref slots[i];
            bool isReplaced = replaced is not null && replaced.HasLength(slot.NameLength) && replaced.Has(bytes.Slice(slot.LineStart, slot.NameLength));
            if (!isReplaced && !slot.ThisHopOnly && !drops.Has(slot.Known))
            {
                continue;
            }

            Add(bytes[runStart..slot.LineStart]);
            runStart = head.LineEnd(i);
        }

        Add(bytes[runStart..(head.Length - 2)]);
    }
}

/// <summary>A set of known fields, one bit each.</summary>
internal readonly record struct FieldSet(ulong Bits)
{
    /// <summary>
    /// The fields that are never forwarded: those for one connection only (RFC 9110 §7.6.1); those for framing, which are written anew; <c>Alt-Svc</c>, which
    /// names another way to the upstream; <c>Trailer</c>, because trailers are not forwarded; <c>Proxy</c>, which is only used for attacks; and names with
    /// <c>_</c> that look like known ones.
    /// </summary>
    public static FieldSet HopByHop { get; } = Of(
        KnownField.Connection,
        KnownField.KeepAlive,
        KnownField.ProxyConnection,
        KnownField.ProxyOther,
        KnownField.ProxyVariable,
        KnownField.Te,
        KnownField.Trailer,
        KnownField.Upgrade,
        KnownField.Http2Settings,
        KnownField.TransferEncoding,
        KnownField.ContentLength,
        KnownField.AltSvc,
        KnownField.Lookalike);

    public static FieldSet Of(params ReadOnlySpan<KnownField> fields)
    {
        ulong bits = 0;
        foreach (KnownField field in fields)
        {
            bits |= 1UL << (int)field;
        }

        return new FieldSet(bits);
    }

    public bool Has(KnownField field) => field is not KnownField.None && (Bits & (1UL << (int)field)) != 0;

    public FieldSet With(params ReadOnlySpan<KnownField> fields) => new(Bits | Of(fields).Bits);
}
