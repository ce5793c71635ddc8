using McpProxyFast.Mcp.Tests.Support;
using ModelContextProtocol.AspNetCore;
using ModelContextProtocol.Client;
using Xunit;

namespace McpProxyFast.Mcp.Tests;

/// <summary>Revision 2025-11-25 through the proxy: streams that end and are taken up again.</summary>
public sealed class ResumptionTests() : ProxiedServer(HttpServerSessionMode.Stateful)
{
    [Fact]
    public async Task AnswerIsFetchedByAGetThatNamesTheLastEvent()
    {
        await using McpClient client = await ConnectAsync(Revision.Stateful);

        Assert.Equal("here it is", await CallAsync(client, "later"));
        await Journal.SeenAsync("GET after ");
    }
}
