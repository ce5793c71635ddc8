using System.Text;
using System.Text.RegularExpressions;
using McpProxyFast.Cli.Tests.Support;
using ModelContextProtocol.Client;
using ModelContextProtocol.Protocol;
using Xunit;

namespace McpProxyFast.Cli.Tests;

public sealed partial class DemoTests
{
    [Theory]
    [InlineData("echo", "\"text\":\"hello\"")]
    [InlineData("count", "\"text\":\"counted to 5\"")]
    public async Task PrintedCurlLineIsAnswered(string tool, string expected)
    {
        await using Command command = Command.Start(["demo"]);
        Match curl = CurlLine().Match(await command.LineAsync($"\"name\":\"{tool}\""));
        using var client = new HttpClient();
        using var body = new StringContent(curl.Groups["body"].Value, Encoding.UTF8, "application/json");

        using HttpResponseMessage response = await client.PostAsync(new Uri(curl.Groups["url"].Value), body);

        Assert.Contains(expected, await response.Content.ReadAsStringAsync(), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("2025-11-25")]
    [InlineData("2026-07-28")]
    public async Task OfficialClientUsesTheTools(string revision)
    {
        await using Command command = Command.Start(["demo"]);
        string url = (await command.LineAsync("endpoint: ")).Split(": ")[1];
        await using McpClient client = await McpClient.CreateAsync(
            new HttpClientTransport(new HttpClientTransportOptions { Endpoint = new Uri(url) }),
            new McpClientOptions { ProtocolVersion = revision });

        IList<McpClientTool> tools = await client.ListToolsAsync();
        CallToolResult echo = await client.CallToolAsync("echo", new Dictionary<string, object?> { ["text"] = "hello" });

        Assert.Equal(["echo", "count"], tools.Select(tool => tool.Name));
        Assert.Equal("hello", echo.Content.OfType<TextContentBlock>().Single().Text);
    }

    [Fact]
    public async Task SignalToStopEndsTheDemoWithCodeZero()
    {
        await using Command command = Command.Start(["demo"]);
        await command.LineAsync("Ctrl-C");

        await command.SignalAsync("TERM");

        Assert.Equal(0, (await command.EndAsync()).ExitCode);
    }

    [GeneratedRegex("curl -sN (?<url>[^ ]+) .*-d '(?<body>.*)'")]
    private static partial Regex CurlLine();
}
