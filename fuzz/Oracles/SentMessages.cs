namespace McpProxyFast.Fuzz.Oracles;

/// <summary>What a script's peer has sent to the proxy, as far as it makes sense: which messages are whole, and what their bodies are.</summary>
internal static class SentMessages
{
    /// <summary>The whole requests of a client, in order, up to the first that makes no sense.</summary>
    public static List<WireMessage> ReadRequests(byte[] bytes) => Read(bytes, static (reader, head, _) => Try(() => reader.ReadBodyAsync(head)));

    /// <summary>The whole final responses of an upstream, in order, up to the first that makes no sense.</summary>
    /// <param name="bytes">All that it sent.</param>
    /// <param name="methods">The methods of the requests that it had received, in order.</param>
    /// <param name="closesOrderly">The end of its bytes is an end of a message too.</param>
    public static List<WireMessage> ReadResponses(byte[] bytes, IReadOnlyList<string> methods, bool closesOrderly) =>
        Read(bytes, (reader, head, answered) => TryReadBody(reader, head, answered < methods.Count ? methods[answered] : "", closesOrderly));

    /// <summary>Decodes a chunked body, RFC 9112 §7.1.3.</summary>
    /// <param name="bytes">The body and whatever follows it.</param>
    /// <returns>The data, and how many bytes the body has; null where it is not whole or not well formed.</returns>
    public static (byte[] Data, long Length)? ReadChunks(byte[] bytes)
    {
        var reader = new LenientReader(new MemoryStream(bytes));
        return Try(reader.ReadChunksAsync) is { } data ? (data, reader.Taken) : null;
    }

    /// <param name="bytes">All that was sent.</param>
    /// <param name="readBody">Gets a head, and how many final messages there were before it; gives null where the body is not whole.</param>
    private static List<WireMessage> Read(byte[] bytes, Func<LenientReader, LenientHead, int, byte[]?> readBody)
    {
        var messages = new List<WireMessage>();
        var reader = new LenientReader(new MemoryStream(bytes));
        while (Try(reader.ReadHeadAsync) is { } head && IsHead(head) && readBody(reader, head, messages.Count) is { } body)
        {
            messages.AddRange(IsInterim(head.StartLine) ? [] : [new WireMessage(head.StartLine, body, IsWhole: true)]);
        }

        return messages;
    }

    private static byte[]? TryReadBody(LenientReader reader, LenientHead head, string method, bool closesOrderly)
    {
        if (method == "HEAD" || IsInterim(head.StartLine) || head.StartLine[9..12] is "204" or "304")
        {
            return [];
        }

        bool isFramed = head.Field("Transfer-Encoding").Length + head.Field("Content-Length").Length > 0;
        return isFramed ? Try(() => reader.ReadBodyAsync(head))
            : closesOrderly ? Try(reader.ReadToEndAsync)
            : null;
    }

    private static bool IsHead(LenientHead head) =>
        head.StartLine.Length >= 12 && head.Lines.Skip(1).All(line => line.Contains(':', StringComparison.Ordinal));

    private static bool IsInterim(string startLine) => startLine.StartsWith("HTTP/", StringComparison.Ordinal) && startLine[9] == '1';

    /// <summary>Reads from memory, where nothing waits.</summary>
    private static T? Try<T>(Func<Task<T>> read)
        where T : class?
    {
        try
        {
            return read().GetAwaiter().GetResult();
        }
        catch (Exception nonsense) when (nonsense is IOException or InvalidDataException)
        {
            return null;
        }
    }
}
