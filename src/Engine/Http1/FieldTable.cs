namespace McpProxyFast.Http1;

/// <summary>Where one field line lies in its head: offsets into the received bytes, no copies.</summary>
/// <remarks>16 bits are enough because <see cref="HeadLimits.MaxHeadBytes"/> is below 64 KiB.</remarks>
internal struct FieldSlot
{
    public ushort LineStart;
    public ushort NameLength;
    public ushort ValueStart;
    public ushort ValueLength;
    public KnownField Known;

    /// <summary>Named in <c>Connection</c>: meant for this hop only (RFC 9110 §7.6.1).</summary>
    public bool ThisHopOnly;
}

/// <summary>The field lines of one head, in order. Reused; grows up to the limit of fields and keeps its size.</summary>
internal sealed class FieldTable
{
    private const int UsualFields = 24;

    private FieldSlot[] _slots = new FieldSlot[UsualFields];
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
        if (Count == _slots.Length)
        {
            Array.Resize(ref _slots, _slots.Length * 2);
        }

        _slots[Count++] = slot;
        _present |= 1UL << (int)slot.Known;
    }

    public bool Has(KnownField known) => (_present & (1UL << (int)known)) != 0;

    /// <summary>The index of the only line with this name; -1 where there is none, -2 where there are several.</summary>
    public int Single(KnownField known)
    {
        if (!Has(known))
        {
            return -1;
        }

        int found = -1;
        for (int i = 0; i < Count; i++)
        {
            if (_slots[i].Known == known)
            {
                if (found >= 0)
                {
                    return -2;
                }

                found = i;
            }
        }

        return found;
    }
}

/// <summary>The bounds of a head that the parsers enforce.</summary>
/// <param name="MaxHeadBytes">The whole head, in bytes; below 65,536.</param>
/// <param name="MaxStartLineBytes">The start line without its CRLF, in bytes.</param>
/// <param name="MaxFields">Field lines.</param>
internal readonly record struct HeadLimits(int MaxHeadBytes, int MaxStartLineBytes, int MaxFields);
