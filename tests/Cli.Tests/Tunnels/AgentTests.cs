using System.Diagnostics;
using System.Net;
using System.Text.RegularExpressions;
using McpProxyFast.Authorization.Tests.Outgoing.Support;
using McpProxyFast.Cli.Tests.Support;
using Xunit;

namespace McpProxyFast.Cli.Tests.Tunnels;

/// <summary>The agent of a tunnel: what it is started with, what becomes of its address, and that it lives exactly as long as it should.</summary>
public sealed partial class AgentTests : IDisposable
{
    private const string Token = "2abcHUNTER2xyz_3ngrokToken";
    private const string ArgumentsVariable = "MCPPROXYFAST_PROVIDER_ARGS";

    /// <summary>As version 3 of ngrok says it with <c>--log-format=json</c>.</summary>
    private const string Ngrok = """
        {"lvl":"info","msg":"no configuration paths supplied","t":"2026-11-26T10:00:00Z"}
        {"lvl":"info","msg":"starting web service","obj":"web","addr":"127.0.0.1:4040","allow_hosts":[],"t":"2026-11-26T10:00:00Z"}
        {"lvl":"info","msg":"client session established","obj":"tunnels.session","t":"2026-11-26T10:00:01Z"}
        {"addr":"http://127.0.0.1:9000","lvl":"info","msg":"started tunnel","name":"command_line","obj":"tunnels","t":"2026-11-26T10:00:01Z","url":"https://ab12-203-0-113-7.ngrok-free.app"}

        """;

    /// <summary>As cloudflared 2026 says it.</summary>
    private const string Cloudflared = """
        2026-11-26T10:00:00Z INF Thank you for trying Cloudflare Tunnel. Doing so, without a Cloudflare account, is a quick way to experiment and try it out.
        2026-11-26T10:00:00Z INF Requesting new quick Tunnel on trycloudflare.com...
        2026-11-26T10:00:01Z ERR failed to request quick Tunnel: Post "https://api.trycloudflare.com/tunnel": retrying
        2026-11-26T10:00:03Z INF +--------------------------------------------------------------------------------------------+
        2026-11-26T10:00:03Z INF |  Your quick Tunnel has been created! Visit it at (it may take some time to be reachable):  |
        2026-11-26T10:00:03Z INF |  https://four-dashed-word-RUN.trycloudflare.com                                            |
        2026-11-26T10:00:03Z INF +--------------------------------------------------------------------------------------------+
        2026-11-26T10:00:04Z INF Registered tunnel connection connIndex=0 connection=c206cf44-945f-4c3c-a85c-af60c6338dc2 event=0 ip=198.41.192.7 location=fra03 protocol=quic

        """;

    private static readonly string[] Protected = ["--oidc-issuer", "https://login.example.com", "--oidc-audience", "https://mcp.example.com/mcp"];

    private readonly TemporaryFolder _folder = new();
    private readonly HeldUpstream _upstream = new();
    private readonly HttpClient _client = new();

    public void Dispose()
    {
        _client.Dispose();
        _upstream.Dispose();
        _folder.Dispose();
    }

    [Fact]
    public async Task NgrokGetsItsTokenByTheEnvironmentAndTheRestByArguments()
    {
        using var agent = new StandInAgent("ngrok", Ngrok);
        string policy = _folder.Write("policy.yml", "on_http_request:\n  - actions:\n      - type: deny\n");
        string given = $$"""{"auth-token":"{{Token}}","url":"https://mcp.ngrok.app","traffic-policy-file":"{{policy}}","pooling":true}""";
        await using Command command = Start("ngrok", agent.Environment((ArgumentsVariable, given)));
        string port = await PortAsync(command);

        int process = await agent.StartedAsync();

        Assert.Equal(
            [
                "http", $"http://127.0.0.1:{port}", "--log=stdout", "--log-format=json", "--log-level=info", "--inspect=false", "--description=notes",
                "--url=https://mcp.ngrok.app", $"--traffic-policy-file={policy}", "--pooling-enabled",
            ],
            agent.ArgumentsOf(process));
        string[] environment = agent.EnvironmentOf(process);
        Assert.Contains($"NGROK_AUTHTOKEN={Token}", environment);
        Assert.DoesNotContain(environment, variable => variable.StartsWith("MCPPROXYFAST_", StringComparison.Ordinal));
    }

    [Fact]
    public async Task PublicAddressIsPrintedAndNamesTheResource()
    {
        using var agent = new StandInAgent("ngrok", Ngrok);
        await using Command command = Start("ngrok", agent.Environment((ArgumentsVariable, $$"""{"auth-token":"{{Token}}"}""")));
        string port = await PortAsync(command);

        Assert.Equal("mcpproxyfast: notes public at https://ab12-203-0-113-7.ngrok-free.app", await command.LineAsync("public at"));

        using HttpResponseMessage refused = await AskAsync(port, "/mcp", "ab12-203-0-113-7.ngrok-free.app");
        Assert.Equal(HttpStatusCode.Unauthorized, refused.StatusCode);
        Assert.Contains(
            "resource_metadata=\"https://ab12-203-0-113-7.ngrok-free.app/.well-known/oauth-protected-resource\"",
            refused.Headers.WwwAuthenticate.ToString(), StringComparison.Ordinal);
        using HttpResponseMessage document = await AskAsync(port, "/.well-known/oauth-protected-resource", "ab12-203-0-113-7.ngrok-free.app");
        Assert.Contains("\"resource\":\"https://ab12-203-0-113-7.ngrok-free.app\"", await document.Content.ReadAsStringAsync(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task ResourceUrlThatIsGivenStays()
    {
        using var agent = new StandInAgent("cloudflared", Cloudflared);
        await using Command command = Start("cloudflared", agent.Environment(), "--resource-url", "https://mcp.example.com/mcp");
        string port = await PortAsync(command);
        await command.LineAsync("public at https://four-dashed-word-1.trycloudflare.com");

        foreach (string host in (string[])["four-dashed-word-1.trycloudflare.com", "mcp.example.com"])
        {
            using HttpResponseMessage refused = await AskAsync(port, "/mcp", host);
            Assert.Contains("https://mcp.example.com/.well-known/oauth-protected-resource/mcp", refused.Headers.WwwAuthenticate.ToString(), StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task HostThatIsNotTheTunnelsIsRefused()
    {
        using var agent = new StandInAgent("cloudflared", Cloudflared);
        await using Command command = Start("cloudflared", agent.Environment());
        string port = await PortAsync(command);
        await command.LineAsync("public at");

        using HttpResponseMessage refused = await AskAsync(port, "/mcp", "evil.example");

        Assert.Equal(HttpStatusCode.Forbidden, refused.StatusCode);
    }

    [Fact]
    public async Task QuickTunnelOfCloudflaredNeedsNothing()
    {
        using var agent = new StandInAgent("cloudflared", Cloudflared);
        await using Command command = Start("cloudflared", agent.Environment());
        string port = await PortAsync(command);

        Assert.Equal("mcpproxyfast: notes public at https://four-dashed-word-1.trycloudflare.com", await command.LineAsync("public at"));
        Assert.Equal(["tunnel", "--no-autoupdate", "--url", $"http://127.0.0.1:{port}"], agent.ArgumentsOf(await agent.StartedAsync()));
    }

    [Fact]
    public async Task NamedTunnelOfCloudflaredGetsItsTokenByTheEnvironment()
    {
        using var agent = new StandInAgent("cloudflared", "2026-11-26T10:00:04Z INF Registered tunnel connection connIndex=0\n");
        string token = _folder.Write("token", $"{Token}\n");
        string given = $$"""{"token-file":"{{token}}","url":"https://mcp.example.com"}""";
        await using Command command = Start("cloudflared", agent.Environment(), "--provider-args", given, "--port", $"{FreePort.Next()}");

        Assert.Equal("mcpproxyfast: notes public at https://mcp.example.com", await command.LineAsync("public at"));
        int process = await agent.StartedAsync();
        Assert.Equal(["tunnel", "--no-autoupdate", "run"], agent.ArgumentsOf(process));
        Assert.Contains($"TUNNEL_TOKEN={Token}", agent.EnvironmentOf(process));
    }

    [Fact]
    public async Task AgentFindsNoSecretOfTheCommandUnderAnotherName()
    {
        const string Secret = "sk-HUNTER2-of-the-target", Kept = "sk-HUNTER2-in-a-file", Forwarded = "sk-HUNTER2-in-a-field";
        using var agent = new StandInAgent("cloudflared", Cloudflared);
        string given = $$"""{"token-env":"TUNNEL_SOURCE","url":"https://mcp.example.com"}""";
        await using Command command = Start(
            "cloudflared",
            agent.Environment(
                ("MCPPROXYFAST_REMOTE_AUTH_BEARER_TOKEN", Secret),
                ("TARGET_API_KEY", Secret),
                ("TARGET_AUTH", $"Bearer {Secret}"),
                ("OIDC_SECRET", Kept),
                ("FIELD", Forwarded),
                ("SAME_FIELD", Forwarded),
                ("TUNNEL_SOURCE", Token),
                ("SAME_TUNNEL", Token),
                ("INNOCENT", "stays")),
            "--provider-args", given, "--port", $"{FreePort.Next()}", "--remote-forward-headers-secret", "X-Key=env:FIELD",
            "--oidc-introspection-url", "https://login.example.com/introspect", "--oidc-client-id", "proxy", "--oidc-client-secret", Kept);

        string[] environment = agent.EnvironmentOf(await agent.StartedAsync());

        Assert.Equal([$"TUNNEL_TOKEN={Token}"], environment.Where(variable => variable.Contains("HUNTER2", StringComparison.Ordinal)));
        Assert.Contains("INNOCENT=stays", environment);
    }

    [Fact]
    public async Task AgentThatDiesIsStartedAgainAndItsNewAddressCounts()
    {
        using var agent = new StandInAgent("cloudflared", Cloudflared);
        await using Command command = Start("cloudflared", agent.Environment());
        string port = await PortAsync(command);
        await command.LineAsync("public at https://four-dashed-word-1.trycloudflare.com");

        await SignalAsync(await agent.StartedAsync(), "KILL");

        await command.ErrorLineAsync("cloudflared ended with code 137: 2026-11-26T10:00:04Z INF Registered tunnel connection");
        await command.LineAsync("public at https://four-dashed-word-2.trycloudflare.com");
        using HttpResponseMessage refused = await AskAsync(port, "/mcp", "four-dashed-word-2.trycloudflare.com");
        Assert.Contains("https://four-dashed-word-2.trycloudflare.com/", refused.Headers.WwwAuthenticate.ToString(), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("TERM")]
    [InlineData("INT")]
    public async Task SignalToStopEndsBoth(string signal)
    {
        using var agent = new StandInAgent("cloudflared", Cloudflared);
        await using Command command = Start("cloudflared", agent.Environment());
        await command.LineAsync("public at");
        int process = await agent.StartedAsync();

        await command.SignalAsync(signal);

        Outcome outcome = await command.EndAsync();
        Assert.Equal(0, outcome.ExitCode);
        Assert.DoesNotContain("started again", outcome.Errors, StringComparison.Ordinal);
        await StandInAgent.GoneAsync(process);
    }

    /// <summary>An agent may be a script around the real one.</summary>
    [Theory]
    [InlineData("wait")]
    [InlineData("trap '' TERM; while :; do sleep 1; done")]
    public async Task ProgramThatTheAgentHasStartedEndsWithIt(string meanwhile)
    {
        using var agent = new StandInAgent("cloudflared", Cloudflared, $"sleep 3600 & echo $! >> started; {meanwhile}");
        await using Command command = Start("cloudflared", agent.Environment());
        int program = await agent.StartedAsync(2);

        await command.SignalAsync("TERM");

        Assert.Equal(0, (await command.EndAsync()).ExitCode);
        await StandInAgent.GoneAsync(program);
    }

    [Fact]
    public async Task ProgramThatTheAgentLeavesBehindEndsBeforeTheAgentIsStartedAgain()
    {
        using var agent = new StandInAgent("cloudflared", Cloudflared, "sleep 3600 & echo $! >> started; exit 3");
        await using Command command = Start("cloudflared", agent.Environment());
        int program = await agent.StartedAsync(2);

        await command.ErrorLineAsync("cloudflared ended with code 3");

        await StandInAgent.GoneAsync(program);
    }

    [Fact]
    public async Task AgentThatDoesNotEndIsKilled()
    {
        using var agent = new StandInAgent("cloudflared", Cloudflared, "trap '' TERM; while :; do sleep 1; done");
        await using Command command = Start("cloudflared", agent.Environment());
        await command.LineAsync("public at");
        int process = await agent.StartedAsync();

        await command.SignalAsync("TERM");

        Assert.Equal(0, (await command.EndAsync()).ExitCode);
        await StandInAgent.GoneAsync(process);
    }

    [Fact]
    public async Task AgentDoesNotOutliveACommandThatIsKilled()
    {
        using var agent = new StandInAgent("cloudflared", Cloudflared, "trap '' TERM HUP; while :; do read -r nothing || sleep 1; done");
        await using Command command = Start("cloudflared", agent.Environment());
        await command.LineAsync("public at");
        int process = await agent.StartedAsync();

        await command.SignalAsync("KILL");

        await StandInAgent.GoneAsync(process);
    }

    /// <summary>As on systems that cannot tie a child to its parent.</summary>
    [Fact]
    public async Task LauncherThatWatchesEndsTheAgentWithItsParent()
    {
        using var agent = new StandInAgent("cloudflared", "", "trap '' HUP; while :; do sleep 1; done");
        ProcessStartInfo start = Command.StartInfo(["launch-agent", "watch", $"{Environment.ProcessId}", agent.Program, "tunnel"]);
        start.RedirectStandardInput = true;
        using Process launcher = Process.Start(start)!;
        int process = await agent.StartedAsync();

        launcher.StandardInput.Close();

        await StandInAgent.GoneAsync(process);
        await launcher.WaitForExitAsync().Soon();
    }

    [Fact]
    public async Task TokenThatTheAgentRepeatsIsNotLogged()
    {
        using var agent = new StandInAgent("ngrok", $"ERROR:  authentication failed: The authtoken you specified is invalid: {Token}\n", "exit 1");
        await using Command command = Start("ngrok", agent.Environment((ArgumentsVariable, $$"""{"auth-token":"{{Token}}"}""")), "--debug");

        await command.ErrorLineAsync("ngrok ended with code 1: ERROR:  authentication failed: The authtoken you specified is invalid: ***; it is started again in 1 s");

        await command.SignalAsync("TERM");
        Outcome outcome = await command.EndAsync();
        Assert.Equal(0, outcome.ExitCode);
        Assert.DoesNotContain(Token, outcome.Errors, StringComparison.Ordinal);
    }

    [Fact]
    public async Task TokenOnTheCommandLineIsWarnedAbout()
    {
        using var agent = new StandInAgent("ngrok", Ngrok);
        await using Command command = Start("ngrok", agent.Environment(), "--provider-args", $$"""{"auth-token":"{{Token}}"}""");
        await command.LineAsync("public at");

        await command.SignalAsync("TERM");

        string errors = (await command.EndAsync()).Errors;
        Assert.Contains("the value of --provider-args on the command line is visible to other users of this machine", errors, StringComparison.Ordinal);
        Assert.DoesNotContain(Token, errors, StringComparison.Ordinal);
    }

    [Fact]
    public async Task DryRunStartsNothingAndWaitsForASignal()
    {
        using var agent = new StandInAgent("ngrok", Ngrok);
        string given = $$"""{"auth-token":"{{Token}}","dry-run":true}""";
        await using Command command = Start("ngrok", agent.Environment((ArgumentsVariable, given)));
        await command.LineAsync("on port");
        await command.ErrorLineAsync("dry run: the settings have been checked; ngrok was not started");

        await command.SignalAsync("TERM");

        Assert.Equal(0, (await command.EndAsync()).ExitCode);
        Assert.False(agent.WasStarted);
    }

    [Fact]
    public async Task UnprotectedTunnelThatIsWantedIsSaid()
    {
        using var agent = new StandInAgent("cloudflared", Cloudflared);
        await using Command command = Command.Start(
            ["tunnel", $"{_upstream.Address}/mcp", "notes", "--tunnel-provider", "cloudflared", "--allow-unprotected"], agent.Environment());

        await command.ErrorLineAsync($"warn  UNPROTECTED: anyone who learns the tunnel's address can use the MCP server at {_upstream.Address}/mcp");
        await command.LineAsync("public at");
    }

    [Fact]
    public async Task AgentThatIsNotThereIsNamedBeforeAnythingStarts()
    {
        Outcome outcome = await Command.RunAsync(
            ["tunnel", "http://localhost:1/mcp", "notes", "--tunnel-provider", "cloudflared", .. Protected],
            new Dictionary<string, string> { ["PATH"] = "/nonexistent" });

        Assert.Equal((1, ""), (outcome.ExitCode, outcome.Output));
        Assert.Equal("mcpproxyfast: cloudflared is not on the PATH; install it from https://github.com/cloudflare/cloudflared/releases\n", outcome.Errors);
    }

    [Fact]
    public async Task SpellingOfThvIsTheSameVerb()
    {
        using var agent = new StandInAgent("cloudflared", Cloudflared);
        await using Command command = Command.Start(
            ["proxy", "tunnel", $"{_upstream.Address}/mcp", "notes", "--tunnel-provider", "cloudflared", .. Protected], agent.Environment());

        await command.LineAsync("notes public at https://four-dashed-word-1.trycloudflare.com");
    }

    private static async Task SignalAsync(int process, string signal)
    {
        using Process kill = Process.Start("sh", ["-c", $"kill -{signal} {process}"]);
        await kill.WaitForExitAsync();
    }

    private static async Task<string> PortAsync(Command command) => Port().Match(await command.LineAsync("on port")).Groups[1].Value;

    [GeneratedRegex(@"on port (\d+)")]
    private static partial Regex Port();

    private Command Start(string provider, Dictionary<string, string> environment, params string[] more) => Command.Start(
        ["tunnel", $"{_upstream.Address}/mcp", "notes", "--tunnel-provider", provider, .. Protected, .. more], environment);

    private async Task<HttpResponseMessage> AskAsync(string port, string path, string host)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, $"http://127.0.0.1:{port}{path}");
        request.Headers.Host = host;
        return await _client.SendAsync(request);
    }
}
