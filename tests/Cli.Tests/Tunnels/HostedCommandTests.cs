using McpProxyFast.Authorization.Tests.Outgoing.Support;
using McpProxyFast.Cli.Tests.Support;
using Xunit;

namespace McpProxyFast.Cli.Tests.Tunnels;

/// <summary><c>tunnel --tunnel-provider openai</c> as a process of its own.</summary>
public sealed class HostedCommandTests : IAsyncLifetime, IDisposable
{
    private const string List = """{"jsonrpc":"2.0","id":1,"method":"tools/list"}""";

    private readonly TemporaryFolder _folder = new();
    private readonly StandInMcpServer _server = StandInMcpServer.Always(StandInMcpServer.Json(200, """{"jsonrpc":"2.0","id":1,"result":{}}"""));
    private StandInControlPlane _plane = null!;

    public async Task InitializeAsync() => _plane = await StandInControlPlane.StartAsync();

    public async Task DisposeAsync()
    {
        await _plane.DisposeAsync();
        await _server.DisposeAsync();
    }

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task CommandsOfTheControlPlaneReachTheServerAndTheKeyReachesNoLog()
    {
        await using Command command = Command.Start(Arguments("--debug"));
        await command.LineAsync("notes on port");
        _plane.Give($$"""{"request_id":"req_1","shard_token":"s","command_type":"jsonrpc","jsonrpc":{{List}}}""");

        Assert.Equal("""{"jsonrpc":"2.0","id":1,"result":{}}""", (await _plane.AnswerAsync()).Answer);

        await command.SignalAsync("TERM");
        Outcome outcome = await command.EndAsync();
        Assert.Equal(0, outcome.ExitCode);
        Assert.Contains("info  the tunnel is connected", outcome.Errors, StringComparison.Ordinal);
        Assert.DoesNotContain("hunter2", outcome.Errors, StringComparison.Ordinal);
        Assert.DoesNotContain("UNPROTECTED", outcome.Errors, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(401, "does not take the key; check \"api-key-file\" or \"api-key-env\" (HTTP 401)")]
    [InlineData(403, "does not let the key use this tunnel; check \"tunnel-id\" and the key's rights (HTTP 403)")]
    [InlineData(404, "knows no such tunnel; check \"tunnel-id\" (HTTP 404)")]
    public async Task TunnelThatIsRefusedIsAnErrorBeforeAnythingIsServed(int status, string expected)
    {
        _plane.MetadataStatus = status;

        Outcome outcome = await Command.RunAsync(Arguments());

        Assert.Equal((1, "", $"mcpproxyfast: the tunnel's control plane {expected}\n"), (outcome.ExitCode, outcome.Output, outcome.Errors));
    }

    [Fact]
    public async Task ControlPlaneThatIsDownIsWaitedFor()
    {
        _plane.MetadataStatus = 503;
        _plane.FailPolls(StandInControlPlane.Status(503));
        await using Command command = Command.Start(Arguments());
        await command.ErrorLineAsync("the tunnel's control plane answered with HTTP 503");
        _plane.Give($$"""{"request_id":"req_1","shard_token":"s","command_type":"jsonrpc","jsonrpc":{{List}}}""");

        Assert.Equal("jsonrpc_response", (await _plane.AnswerAsync()).Type);
    }

    private string[] Arguments(params string[] more) =>
    [
        "tunnel", _server.Address.AbsoluteUri, "notes", "--tunnel-provider", "openai", "--provider-args",
        $$"""{"tunnel-id":"tunnel_1","api-key-file":"{{_folder.Write("key", "sk-hunter2")}}","base-url":"{{_plane.Address}}"}""", .. more,
    ];
}
