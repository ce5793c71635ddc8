using System.Buffers.Text;
using System.Text;

namespace McpProxyFast.EndToEnd.Wire;

/// <summary>A request or response head, where it lies in the receive buffer.</summary>
internal readonly ref struct MessageHead
{
    private readonly ReadOnlySpan<byte> _fields;

    public MessageHead(ReadOnlySpan<byte> head)
    {
        int end = head.IndexOf("\r\n"u8);
        FirstLine = head[..end];
        _fields = head[(end + 2)..];
    }

    public ReadOnlySpan<byte> FirstLine { get; }

    /// <summary>The second word of a request line.</summary>
    public ReadOnlySpan<byte> Target
    {
        get
        {
            ReadOnlySpan<byte> rest = FirstLine[(FirstLine.IndexOf((byte)' ') + 1)..];
            int end = rest.IndexOf((byte)' ');
            return end < 0 ? default : rest[..end];
        }
    }

    /// <summary>The second word of a status line.</summary>
    public int Status
    {
        get
        {
            ReadOnlySpan<byte> code = FirstLine[(FirstLine.IndexOf((byte)' ') + 1)..];
            return Utf8Parser.TryParse(code, out int status, out _) ? status : 0;
        }
    }

    public bool IsChunked => Ascii.EqualsIgnoreCase(Find("transfer-encoding"u8), "chunked"u8);

    /// <summary>The value of Content-Length, or -1 without one.</summary>
    public long ContentLength => Utf8Parser.TryParse(Find("content-length"u8), out long length, out _) ? length : -1;

    /// <summary>The first value under a name, given in lower case; empty when there is none.</summary>
    public ReadOnlySpan<byte> Find(ReadOnlySpan<byte> name)
    {
        ReadOnlySpan<byte> rest = _fields;
        while (rest.IndexOf((byte)'\n') is int end and >= 0)
        {
            ReadOnlySpan<byte> line = rest[..end];
            if (line.Length > name.Length && line[name.Length] == ':' && Ascii.EqualsIgnoreCase(line[..name.Length], name))
            {
                return line[(name.Length + 1)..].Trim(" \r"u8);
            }

            rest = rest[(end + 1)..];
        }

        return default;
    }
}
