namespace McpProxyFast.Harness;

/// <summary>The messages that most tests send.</summary>
public static class Messages
{
    public const string Get = "GET /mcp HTTP/1.1\r\nHost: h\r\n\r\n";
    public const string GetThenClose = "GET /mcp HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n";
    public const string Post = "POST /mcp HTTP/1.1\r\nHost: h\r\nContent-Length: 2\r\n\r\n{}";
    public const string ChunkedPostHead = "POST /mcp HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n";
    public const string ExpectingPostHead = "POST /mcp HTTP/1.1\r\nHost: h\r\nExpect: 100-continue\r\nContent-Length: 5\r\n\r\n";
    public const string Ok = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";
    public const string StreamHead = "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n";

    public static string PostOf(string body) => $"POST /mcp HTTP/1.1\r\nHost: h\r\nContent-Length: {body.Length}\r\n\r\n{body}";

    public static string GetOf(string target) => $"GET {target} HTTP/1.1\r\nHost: h\r\n\r\n";

    public static string Answer(string body) => $"HTTP/1.1 200 OK\r\nContent-Length: {body.Length}\r\n\r\n{body}";

    /// <summary>Runs one exchange and returns what the client got.</summary>
    public static async Task<StrictMessage> ExchangeAsync(RawPeer client, RawPeer upstream, string request = Get, string response = Ok)
    {
        await client.SendAsync(request);
        await upstream.ReadRequestAsync();
        await upstream.SendAsync(response);
        return await client.ReadResponseAsync();
    }
}
