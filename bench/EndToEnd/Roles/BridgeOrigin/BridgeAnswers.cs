using System.Text;
using McpProxyFast.EndToEnd.Wire;

namespace McpProxyFast.EndToEnd.Roles.BridgeOrigin;

/// <summary>The responses of the server behind a bridge. Not shared between threads: what is made for one message is valid until the next.</summary>
internal sealed class BridgeAnswers
{
    private readonly byte[] _notification = InChunk(Event(McpMessages.NewNotification()));

    public static ReadOnlyMemory<byte> Accepted { get; } = Empty("202 Accepted");

    public static ReadOnlyMemory<byte> Ended { get; } = Empty("200 OK");

    public static ReadOnlyMemory<byte> NotFound { get; } = Empty("404 Not Found");

    public static ReadOnlyMemory<byte> NotAllowed { get; } = Empty("405 Method Not Allowed");

    public static ReadOnlyMemory<byte> StreamHead { get; } = Encoding.ASCII.GetBytes(
        "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nCache-Control: no-cache\r\nTransfer-Encoding: chunked\r\n\r\n");

    /// <summary>The answer to <c>initialize</c>, which begins a session.</summary>
    public static ReadOnlyMemory<byte> Initialize(ReadOnlySpan<byte> id, string session) =>
        Json(Result(id, McpMessages.ServerInfo), $"Mcp-Session-Id: {session}\r\n");

    public static ReadOnlyMemory<byte> Call(ReadOnlySpan<byte> id) => Json(Result(id, McpMessages.CallResult));

    /// <summary>The same as a stream of one event, as the official servers answer unless they are told otherwise.</summary>
    public static ReadOnlyMemory<byte> CallAsStream(ReadOnlySpan<byte> id) =>
        (byte[])[.. StreamHead.Span, .. InChunk(Event(Encoding.ASCII.GetBytes(Result(id, McpMessages.CallResult)))), .. "0\r\n\r\n"u8];

    public static ReadOnlyMemory<byte> Unknown(ReadOnlySpan<byte> id) =>
        Json($"{{\"jsonrpc\":\"2.0\",\"id\":{Encoding.ASCII.GetString(id)},\"error\":{{\"code\":-32601,\"message\":\"Method not found\"}}}}");

    /// <summary>A notification in a chunk of its own.</summary>
    public ReadOnlyMemory<byte> Notification(long number)
    {
        McpMessages.Mark(_notification.AsSpan(_notification.AsSpan().IndexOf((byte)'{')), number, Clock.Now);
        return _notification;
    }

    private static string Result(ReadOnlySpan<byte> id, string result) => $"{{\"jsonrpc\":\"2.0\",\"id\":{Encoding.ASCII.GetString(id)},\"result\":{result}}}";

    private static byte[] Event(ReadOnlySpan<byte> message) => [.. "event: message\ndata: "u8, .. message, .. "\n\n"u8];

    private static byte[] InChunk(byte[] data) => [.. Encoding.ASCII.GetBytes($"{data.Length:x}\r\n"), .. data, .. "\r\n"u8];

    private static byte[] Json(string body, string fields = "") => Encoding.ASCII.GetBytes(
        $"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n{fields}Content-Length: {body.Length}\r\n\r\n{body}");

    private static byte[] Empty(string status) => Encoding.ASCII.GetBytes($"HTTP/1.1 {status}\r\nContent-Length: 0\r\n\r\n");
}
