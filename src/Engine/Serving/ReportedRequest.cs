using System.Buffers;
using System.Text;
using McpProxyFast.Http1;

namespace McpProxyFast.Serving;

/// <summary>What an observer will be told of a request, copied while its bytes are still there: they are gone by the time the exchange is over.</summary>
/// <remarks>Used only where there is an observer. The copy lies in a rented array, so that nothing is allocated per request.</remarks>
internal struct ReportedRequest
{
    /// <summary>Holds the parts one behind the other; rented from <see cref="Take"/> to <see cref="Clear"/>, else null.</summary>
    private byte[]? _bytes;

    private int _method;
    private int _path;
    private int _query;
    private int _mcpMethod;
    private int _mcpName;

    public readonly ReadOnlySpan<byte> Method => Part(0, _method);

    public readonly ReadOnlySpan<byte> Path => Part(_method, _path);

    /// <summary>Without its <c>?</c>.</summary>
    public readonly ReadOnlySpan<byte> Query => Part(_method + _path, _query);

    public readonly ReadOnlySpan<byte> McpMethod => Part(_method + _path + _query, _mcpMethod);

    public readonly ReadOnlySpan<byte> McpName => Part(_method + _path + _query + _mcpMethod, _mcpName);

    /// <summary>Copies what is reported of a whole request head.</summary>
    public void Take(RequestHead request)
    {
        ReadOnlySpan<byte> path = request.Path;
        ReadOnlySpan<byte> query = request.PathAndQuery[path.Length..];
        query = query.IsEmpty ? query : query[1..];
        ReadOnlySpan<byte> mcpMethod = Single(request, "mcp-method"u8);
        ReadOnlySpan<byte> mcpName = Single(request, "mcp-name"u8);
        _bytes ??= ArrayPool<byte>.Shared.Rent(request.Length); // all of them are parts of the head
        int length = 0;
        _method = Add(request.Method, ref length);
        _path = Add(path, ref length);
        _query = Add(query, ref length);
        _mcpMethod = Add(mcpMethod, ref length);
        _mcpName = Add(mcpName, ref length);
    }

    /// <summary>Gives the copy back: the observer has been told, or never will be.</summary>
    public void Clear()
    {
        if (_bytes is { } rented)
        {
            this = default;
            ArrayPool<byte>.Shared.Return(rented);
        }
    }

    private readonly ReadOnlySpan<byte> Part(int start, int length) => _bytes.AsSpan(start, length);

    private readonly int Add(ReadOnlySpan<byte> part, ref int length)
    {
        part.CopyTo(_bytes.AsSpan(length));
        length += part.Length;
        return part.Length;
    }

    /// <summary>The value of the only line of this name; empty where there is none, or several, which could be read two ways.</summary>
    private static ReadOnlySpan<byte> Single(RequestHead request, ReadOnlySpan<byte> lowerName)
    {
        ReadOnlySpan<byte> value = default;
        int found = 0;
        foreach (ref FieldSlot slot in request.Fields.Slots)
        {
            if (slot.NameLength == lowerName.Length && Ascii.EqualsIgnoreCase(request.Name(slot), lowerName))
            {
                value = request.Value(slot);
                found++;
            }
        }

        return found == 1 ? value : default;
    }
}
