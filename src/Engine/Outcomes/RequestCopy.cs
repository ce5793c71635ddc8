using System.Text;
using McpProxyFast.Http1;

namespace McpProxyFast.Outcomes;

/// <summary>
/// Copies of the parts of a request head that an observer gets. They are one after the other in a buffer, which is reused for the next request.
/// </summary>
internal struct RequestCopy
{
    /// <summary>The copied bytes; null until the first copy. The buffer grows but never shrinks.</summary>
    private byte[]? _bytes;

    /// <summary>
    /// This and the next four fields: where each part ends in the buffer and the next one begins. A head is smaller than 64 KiB, so 16 bits are enough.
    /// </summary>
    private ushort _methodEnd;
    private ushort _pathEnd;
    private ushort _queryEnd;
    private ushort _mcpMethodEnd;
    private ushort _mcpNameEnd;

    public readonly ReadOnlySpan<byte> Method => Between(0, _methodEnd);

    public readonly ReadOnlySpan<byte> Path => Between(_methodEnd, _pathEnd);

    /// <summary>The query, without the question mark.</summary>
    public readonly ReadOnlySpan<byte> Query => Between(_pathEnd, _queryEnd);

    public readonly ReadOnlySpan<byte> McpMethod => Between(_queryEnd, _mcpMethodEnd);

    public readonly ReadOnlySpan<byte> McpName => Between(_mcpMethodEnd, _mcpNameEnd);

    /// <summary>Copies the parts of a complete head.</summary>
    public void Take(RequestHead head)
    {
        if (_bytes is null || _bytes.Length < head.Length)
        {
            _bytes = new byte[Math.Max(head.Length, 256)];
        }

        ReadOnlySpan<byte> path = head.Path;
        ReadOnlySpan<byte> query = head.PathAndQuery[path.Length..];
        _methodEnd = Add(0, head.Method);
        _pathEnd = Add(_methodEnd, path);
        _queryEnd = Add(_pathEnd, query.IsEmpty ? query : query[1..]);
        _mcpMethodEnd = Add(_queryEnd, Find(head, "Mcp-Method"u8));
        _mcpNameEnd = Add(_mcpMethodEnd, Find(head, "Mcp-Name"u8));
    }

    public void Clear() => _methodEnd = _pathEnd = _queryEnd = _mcpMethodEnd = _mcpNameEnd = 0;

    private readonly ReadOnlySpan<byte> Between(int start, int end) => _bytes.AsSpan()[start..end];

    /// <summary>Appends a part.</summary>
    /// <returns>Where the part ends in the buffer.</returns>
    private readonly ushort Add(int start, ReadOnlySpan<byte> part)
    {
        part.CopyTo(_bytes.AsSpan(start));
        return (ushort)(start + part.Length);
    }

    /// <summary>Returns the value of the only field line with this name; empty if there is no such line or more than one.</summary>
    private static ReadOnlySpan<byte> Find(RequestHead head, ReadOnlySpan<byte> name)
    {
        ReadOnlySpan<byte> found = default;
        bool isFound = false;
        foreach (ref FieldSlot slot in head.Fields.Slots)
        {
            if (slot.NameLength == name.Length && Ascii.EqualsIgnoreCase(head.Name(slot), name))
            {
                found = isFound ? default : head.Value(slot);
                isFound = true;
            }
        }

        return found;
    }
}
