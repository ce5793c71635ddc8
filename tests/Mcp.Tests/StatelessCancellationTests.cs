using McpProxyFast.Mcp.Tests.Support;
using ModelContextProtocol.AspNetCore;
using ModelContextProtocol.Client;
using Xunit;

namespace McpProxyFast.Mcp.Tests;

/// <summary>Revision 2026-07-28 through the proxy: a closed stream is the cancellation. Over stdio the SDK's client gives up without a word.</summary>
public sealed class StatelessCancellationTests() : ProxiedServer(HttpServerSessionMode.Stateless)
{
    [Fact]
    public async Task ClosedStreamCancelsTheCallAtTheServer()
    {
        using var cancellation = new CancellationTokenSource();
        await using McpClient client = await ConnectAsync(Revision.Stateless);
        Task<string> call = CallAsync(client, "wait", cancellation: cancellation.Token);
        await Journal.SeenAsync("wait began");

        await cancellation.CancelAsync();

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => call);
        await Journal.SeenAsync("wait was cancelled");
    }
}
