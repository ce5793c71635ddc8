using System.Text;
using McpProxyFast.Http1;

namespace McpProxyFast.Rewriting;

/// <summary>
/// Maps a request's path to the upstream's. If the configured target has a path, the paths <c>/</c>, <c>/mcp</c> and <c>/mcp/</c> become that path. Every other
/// path stays unchanged.
/// </summary>
/// <remarks>
/// Other paths stay unchanged because clients of the older HTTP+SSE transport post to paths that the upstream chooses. Paths are compared as bytes; nothing is
/// decoded.
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

    /// <summary>By how many bytes the mapped path and query can be longer than the received ones.</summary>
    public int ExtraBytes { get; }

    /// <summary>Whether the request line can be sent unchanged.</summary>
    public bool KeepsAsIs(RequestHead head) => head.IsPlainOriginForm && _query.Length == 0 && !IsMapped(head.Path);

    /// <summary>Path and query as the upstream will see them. Only for code that runs rarely, since it allocates.</summary>
    public string Describe(RequestHead head)
    {
        byte[] room = new byte[MaxBytes(head)];
        return Encoding.ASCII.GetString(room, 0, Write(head, room));
    }

    /// <summary>The path as the upstream will see it, without the query; <c>*</c> for an OPTIONS that asks about the server as a whole.</summary>
    public ReadOnlySpan<byte> PathOf(RequestHead head)
    {
        if (IsForServer(head))
        {
            return "*"u8;
        }

        ReadOnlySpan<byte> path = head.Path;
        return IsMapped(path) ? _path : path.IsEmpty ? "/"u8 : path;
    }

    /// <summary>Whether a request for this path is sent to the upstream with another path.</summary>
    public bool Changes(ReadOnlySpan<byte> path) => IsMapped(path) && !path.SequenceEqual(_path);

    /// <summary>How long the mapped path and query can be in bytes.</summary>
    public int MaxBytes(RequestHead head) => head.PathAndQuery.Length + ExtraBytes;

    /// <summary>Writes path and query as the upstream will see them.</summary>
    /// <returns>How many bytes were written.</returns>
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

    /// <summary>
    /// Whether the request is an OPTIONS for <c>*</c>, or for an absolute URL without a path: both mean the server as a whole (RFC 9112 §3.2.4).
    /// </summary>
    private static bool IsForServer(RequestHead head) => head.IsOptions && head.PathAndQuery.IsEmpty;

    /// <param name="query">
    /// The received query with its <c>?</c>; empty if there is none. It is not changed (RFC 9110 §7.7), but the configured target's query, if any, is put
    /// before it.
    /// </param>
    /// <param name="writer">The writer of the head.</param>
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
