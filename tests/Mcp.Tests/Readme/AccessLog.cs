using System.Text;
using System.Text.Json;
using System.Threading.Channels;

namespace McpProxyFast.Mcp.Tests.Readme;

// <readme>
public sealed class AccessLog(TextWriter output) : IProxyObserver
{
    private readonly Channel<string> _lines = Channel.CreateBounded<string>(
        new BoundedChannelOptions(10_000) { FullMode = BoundedChannelFullMode.DropWrite });    // a slow disk costs lines, not requests

    public void OnExchangeEnded(in ExchangeReport report) => _lines.Writer.TryWrite(JsonSerializer.Serialize(new
    {
        time = DateTimeOffset.UtcNow, peer = report.Peer?.ToString(), caller = report.Caller,
        method = Text(report.Method), path = Text(report.Path), mcp = Text(report.McpMethod), name = Text(report.McpName),
        status = report.Status, end = report.End.ToString(), reason = report.Reason, ms = report.Duration.TotalMilliseconds,
        received = report.BytesReceived, sent = report.BytesSent,
    }));

    public async Task WriteAsync(CancellationToken stopping)                                   // runs beside the proxy
    {
        await foreach (string line in _lines.Reader.ReadAllAsync(stopping))
        {
            await output.WriteLineAsync(line);
        }
    }

    private static string Text(ReadOnlySpan<byte> bytes) => Encoding.Latin1.GetString(bytes);
}
// </readme>
