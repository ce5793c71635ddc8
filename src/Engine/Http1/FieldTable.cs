using System.Diagnostics;

namespace McpProxyFast.Http1;

/// <summary>Where one field line is in its head: offsets into the received bytes, no copies.</summary>
/// <remarks>16 bits are enough because <see cref="HeadLimits.MaxHeadBytes"/> is below 64 KiB.</remarks>
internal struct FieldSlot
{
    public ushort LineStart;
    public ushort NameLength;
    public ushort ValueStart;
    public ushort ValueLength;
    public KnownField Known;

    /// <summary>Whether the field is named in <c>Connection</c>, so that it is meant for this hop only (RFC 9110 §7.6.1).</summary>
    public bool ThisHopOnly;
}

/// <summary>How often a field name occurs in a head.</summary>
internal enum Occurrence : byte
{
    Never,
    Once,
    Repeated,
}

/// <summary>The field lines of one head, in order. The object is reused: it grows when a head has more lines than any head before, and never shrinks.</summary>
internal sealed class FieldTable
{
    private const int UsualFields = 24;

    /// <summary>Where the lines are. The entries from <see cref="Count"/> on are left over from an earlier head.</summary>
    private FieldSlot[] _slots = new FieldSlot[UsualFields];

    /// <summary>One bit for each known field: it is set if the head has a line with that name.</summary>
    private ulong _present;

    public int Count { get; private set; }

    public Span<FieldSlot> Slots => _slots.AsSpan(0, Count);

    public void Clear()
    {
        Count = 0;
        _present = 0;
    }

    public void Add(in FieldSlot slot)
    {
        Debug.Assert((int)slot.Known < 64, "Every known field has a bit of its own.");
        Debug.Assert(Count == 0 || slot.LineStart > _slots[Count - 1].LineStart, "Lines are added in their order.");
        if (Count == _slots.Length)
        {
            Array.Resize(ref _slots, _slots.Length * 2);
        }

        _slots[Count++] = slot;
        _present |= 1UL << (int)slot.Known;
    }

    public bool Has(KnownField known) => (_present & (1UL << (int)known)) != 0;

    /// <summary>Finds the line with this name, if there is exactly one.</summary>
    /// <param name="known">The name.</param>
    /// <param name="index">The line's index in <see cref="Slots"/> if the name occurs once; otherwise -1.</param>
    public Occurrence Single(KnownField known, out int index)
    {
        index = -1;
        if (!Has(known))
        {
            return Occurrence.Never;
        }

        for (int i = 0; i < Count; i++)
        {
            if (_slots[i].Known != known)
            {
                continue;
            }

            if (index >= 0)
            {
                index = -1;
                return Occurrence.Repeated;
            }

            index = i;
        }

        Debug.Assert(index >= 0, "A bit is set only with its line.");
        return Occurrence.Once;
    }
}
