using System.Text;

namespace McpProxyFast.Micro;

/// <summary>Heads as they really come.</summary>
internal static class SampleHeads
{
    public static byte[] McpPost { get; } = Encoding.ASCII.GetBytes(
        "POST /mcp HTTP/1.1\r\nHost: 127.0.0.1:8080\r\nUser-Agent: node\r\nAccept: application/json, text/event-stream\r\n"
        + "Content-Type: application/json\r\nMCP-Protocol-Version: 2025-11-25\r\nMcp-Session-Id: 4f2b0f3c8a4b4c1e9d7e\r\nAccept-Encoding: gzip, deflate\r\n"
        + "Connection: keep-alive\r\nContent-Length: 98\r\n\r\n");

    public static byte[] Browser { get; } = Encoding.ASCII.GetBytes(
        "GET /mcp HTTP/1.1\r\nHost: 127.0.0.1:8080\r\n"
        + string.Concat(Enumerable.Range(0, 39).Select(number => $"Sec-Browser-Field-{number}: \"value of some length\";v=\"{number}\"\r\n"))
        + "\r\n");

    public static byte[] JsonAnswer { get; } = Encoding.ASCII.GetBytes(
        "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nDate: Sun, 22 Nov 2026 22:17:40 GMT\r\nServer: Kestrel\r\nContent-Length: 200\r\n\r\n");
}
