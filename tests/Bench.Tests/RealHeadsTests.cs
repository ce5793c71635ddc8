using McpProxyFast.EndToEnd.Wire;

namespace McpProxyFast.Bench.Tests;

public sealed class RealHeadsTests
{
    [Fact]
    public void A_client_sends_a_dozen_fields_and_a_token_of_900_bytes()
    {
        string[] names = NamesIn(RealHeads.RequestFields);

        Assert.True(names.Length >= 12, $"There are {names.Length} fields.");
        Assert.Superset(
            new HashSet<string> { "Authorization", "Mcp-Method", "Mcp-Name", "MCP-Protocol-Version", "Mcp-Session-Id", "traceparent", "tracestate" },
            new HashSet<string>(names));
        Assert.Equal(900, RealHeads.Token.Length);
        Assert.Equal(3, RealHeads.Token.Split('.').Length);
    }

    [Fact]
    public void A_server_sends_eight_fields() => Assert.True(NamesIn(RealHeads.AnswerFields).Length >= 8);

    private static string[] NamesIn(string fields) =>
        [.. fields.Split("\r\n", StringSplitOptions.RemoveEmptyEntries).Select(line => line[..line.IndexOf(": ", StringComparison.Ordinal)]).Distinct()];
}
