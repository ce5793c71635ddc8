using System.Text;
using McpProxyFast.Http1;

namespace McpProxyFast.Rewriting;

/// <summary>Maps the request target to the upstream's: the target's own path for <c>/</c>, <c>/mcp</c> and <c>/mcp/</c>; every other path as it came.</summary>
/// <remarks>
/// The legacy SSE transport posts to paths of the upstream's choice, which is why they pass. Paths are compared as bytes: nothing is decoded.
/// </remarks>
internal sealed class TargetRule
{
    private readonly byte[] _path;
    private readonly byte[] _query;
    private readonly bool _mapsPath;

    public TargetRule(Uri target)
    {
        _path = Encoding.ASCII.GetBytes(target.AbsolutePath);
        _query = Encoding.ASCII.GetBytes(target.Query.TrimStart('?'));
        _mapsPath = _path.Length > 1;
        ExtraBytes = _path.Length + _query.Length + 2;
    }

    /// <summary>Most bytes by which the mapped target is longer than the received one.</summary>
    public int ExtraBytes { get; }

    /// <summary>The target leaves as it came.</summary>
    public bool KeepsAsIs(RequestHead head) => head.IsPlainOriginForm && _query.Length == 0 && !IsMapped(head.Path);

    /// <summary>Path and query as the upstream will see them. For cold code: it allocates.</summary>
    public string Describe(RequestHead head)
    {
        byte[] room = new byte[MostBytes(head)];
        return Encoding.ASCII.GetString(room, 0, Write(head, room));
    }

    /// <summary>The path as the upstream will see it; <c>*</c> for the server as a whole.</summary>
    public ReadOnlySpan<byte> PathOf(RequestHead head)
    {
        if (IsForServer(head))
        {
            return "*"u8;
        }

        ReadOnlySpan<byte> path = head.Path;
        return IsMapped(path) ? _path : path.IsEmpty ? "/"u8 : path;
    }

    /// <summary>Whether a request for this path leaves for another one.</summary>
    public bool Changes(ReadOnlySpan<byte> path) => IsMapped(path) && !path.SequenceEqual(_path);

    /// <summary>Most bytes of the mapped target.</summary>
    public int MostBytes(RequestHead head) => head.PathAndQuery.Length + ExtraBytes;

    /// <summary>Writes path and query as the upstream will see them.</summary>
    /// <returns>How many bytes that were.</returns>
    public int Write(RequestHead head, Span<byte> room)
    {
        var writer = new HeadWriter(room);
        Write(head, ref writer);
        return writer.Length;
    }

    public void Write(RequestHead head, ref HeadWriter writer)
    {
        writer.Add(PathOf(head));
        if (!IsForServer(head))
        {
            AddQuery(head.PathAndQuery[head.Path.Length..], ref writer);
        }
    }

    /// <summary><c>*</c> itself, and an absolute target without a path: both mean the server as a whole (RFC 9112 §3.2.4).</summary>
    private static bool IsForServer(RequestHead head) => head.IsOptions && head.PathAndQuery.IsEmpty;

    /// <param name="query">The received query with its <c>?</c>; empty if there is none. It stays as it came (RFC 9110 §7.7).</param>
    /// <param name="writer">The head.</param>
    private void AddQuery(ReadOnlySpan<byte> query, ref HeadWriter writer)
    {
        if (_query.Length == 0)
        {
            writer.Add(query);
            return;
        }

        writer.Add("?"u8);
        writer.Add(_query);
        if (query.Length > 1)
        {
            writer.Add("&"u8);
            writer.Add(query[1..]);
        }
    }

    private bool IsMapped(ReadOnlySpan<byte> path) =>
        _mapsPath && (path is [(byte)'/'] || path.IsEmpty || path.SequenceEqual("/mcp"u8) || path.SequenceEqual("/mcp/"u8));
}
