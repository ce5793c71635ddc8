using System.Text;

namespace McpProxyFast.EndToEnd.Wire;

/// <summary>The event of the benchmark: a progress notification that carries its number and when it was sent.</summary>
internal sealed class EventText
{
    public const int NumberOffset = 4;
    public const int NumberLength = 10;
    public const int SentAtLength = 19;

    private const string Start = "id: 0000000000\nevent: message\ndata: {\"jsonrpc\":\"2.0\",\"method\":\"notifications/progress\",\"params\":{\"sentAt\":\"";
    private const string End = "\",\"progressToken\":\"bench\",\"progress\":1}}\n\n";

    private readonly byte[] _chunk;
    private readonly int _start;

    public EventText(bool chunked)
    {
        string size = chunked ? $"{Length:x}\r\n" : string.Empty;
        _start = size.Length;
        _chunk = Encoding.ASCII.GetBytes(size + Start + new string('0', SentAtLength) + End + (chunked ? "\r\n" : string.Empty));
    }

    public static int Length => Start.Length + SentAtLength + End.Length;

    public static int SentAtOffset => Start.Length;

    /// <summary>The bytes of one event, in a chunk of its own when so asked. Valid until the next call.</summary>
    public ReadOnlyMemory<byte> For(long number, long sentAt)
    {
        Digits.Write(_chunk.AsSpan(_start + NumberOffset, NumberLength), number);
        Digits.Write(_chunk.AsSpan(_start + SentAtOffset, SentAtLength), sentAt);
        return _chunk;
    }
}
