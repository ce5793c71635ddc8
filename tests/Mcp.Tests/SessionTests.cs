using McpProxyFast.Mcp.Tests.Support;
using ModelContextProtocol.AspNetCore;
using ModelContextProtocol.Client;
using Xunit;

namespace McpProxyFast.Mcp.Tests;

/// <summary>Revision 2025-11-25 through the proxy: the session that the server gives.</summary>
public sealed class SessionTests() : ProxiedServer(HttpServerSessionMode.Stateful)
{
    [Fact]
    public async Task SessionReachesTheClient()
    {
        await using McpClient client = await ConnectAsync(Revision.Stateful);

        Assert.NotNull(client.SessionId);
    }
}
