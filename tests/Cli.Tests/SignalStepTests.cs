using System.Diagnostics;
using System.Text.Json.Nodes;
using McpProxyFast.Authorization.Tests.Outgoing.Support;
using McpProxyFast.Cli.Tests.Support;
using Xunit;

namespace McpProxyFast.Cli.Tests;

/// <summary>A signal at each step of the command's life: it ends with the right code and leaves nothing behind, or goes on as it should.</summary>
public sealed class SignalStepTests : IAsyncLifetime, IDisposable
{
    private const string Ping = """{"jsonrpc":"2.0","id":1,"method":"ping"}""";
    private const string HangUp = "SIGHUP does not reload settings";

    private readonly TemporaryFolder _folder = new();
    private SignInServer _server = null!;

    private string[] TargetAndStore => ["--target-uri", _server.Target.OriginalString, "--remote-auth-store", _folder.File("credentials")];

    public async Task InitializeAsync() => _server = await SignInServer.StartAsync(TimeProvider.System);

    public async Task DisposeAsync() => await _server.DisposeAsync();

    public void Dispose() => _folder.Dispose();

    /// <summary>Nothing has begun, so the command ends as any program does: by the signal.</summary>
    [Theory]
    [InlineData("TERM", 128 + 15)]
    [InlineData("HUP", 128 + 1)]
    public async Task WhileTheSettingsAreReadASignalEndsTheCommand(string signal, int code)
    {
        string pipe = _folder.File("config");
        using Process made = Process.Start("mkfifo", [pipe]);
        await made.WaitForExitAsync().Soon();
        await using Command command = Command.Start(["proxy", "name", "--target-uri", "http://127.0.0.1:1/mcp", "--config", pipe]);
        using Process writer = Process.Start(new ProcessStartInfo("sh", ["-c", "exec 3> \"$0\"; echo opened; read end", pipe])
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
        })!;
        Assert.Equal("opened", await writer.StandardOutput.ReadLineAsync().Soon()); // the command has opened it too, and waits for what it says

        await command.SignalAsync(signal);

        Assert.Equal(code, (await command.EndAsync()).ExitCode);
        writer.StandardInput.Close();
        await writer.WaitForExitAsync().Soon();
    }

    [Theory]
    [InlineData("TERM")]
    [InlineData("HUP")]
    public async Task WhileAPersonIsToSignInASignalEndsLoginAndLeavesTheStoreUsable(string signal)
    {
        await using Command login = Command.Start(["login", .. TargetAndStore, "--remote-auth-skip-browser", "--remote-auth-callback-port", "0"]);
        await login.ErrorLineAsync($"{_server.Origin}/authorize?");

        await login.SignalAsync(signal);
        Outcome outcome = await login.EndAsync();

        Assert.Equal(1, outcome.ExitCode);
        Assert.EndsWith("mcpproxyfast: interrupted\n", outcome.Errors, StringComparison.Ordinal);
        await ExpectTheStoreToBeUsableAsync();
    }

    [Fact]
    public async Task WhileAPersonIsToSignInTheProxyOutlivesHangUpAndEndsWhenItIsTold()
    {
        await using Command proxy = Command.Start(
            ["proxy", "name", .. TargetAndStore, "--remote-auth", "--remote-auth-skip-browser", "--remote-auth-callback-port", "0"]);
        await proxy.LineAsync("on port");
        await proxy.ErrorLineAsync($"{_server.Origin}/authorize?");

        await proxy.SignalAsync("HUP");
        await proxy.ErrorLineAsync(HangUp);
        await proxy.SignalAsync("TERM");

        Assert.Equal(0, (await proxy.EndAsync()).ExitCode);
        await ExpectTheStoreToBeUsableAsync();
    }

    [Fact]
    public async Task WhileExchangesEndTheProxyOutlivesHangUpAndEndsAtOnceWhenItIsToldAgain()
    {
        using var upstream = new HeldUpstream();
        await using Command proxy = Command.Start(["proxy", "name", "--target-uri", upstream.Address, "--drain-timeout", "1h"]);
        string port = (await proxy.LineAsync("on port")).Split("on port ")[1].Split(' ')[0];
        using var client = new HttpClient();
        Task<string> answer = client.GetStringAsync(new Uri($"http://127.0.0.1:{port}/mcp"));
        await upstream.RequestAsync();

        await proxy.SignalAsync("TERM");
        await proxy.ErrorLineAsync("1 connection is still in use");
        await proxy.SignalAsync("HUP");
        await proxy.ErrorLineAsync(HangUp);
        await proxy.SignalAsync("TERM");

        Assert.Equal(0, (await proxy.EndAsync()).ExitCode);
        await Assert.ThrowsAnyAsync<HttpRequestException>(() => answer);
    }

    [Theory]
    [InlineData("TERM")]
    [InlineData("HUP")]
    public async Task WhileTheServerHasNotAnsweredYetASignalEndsTheBridge(string signal)
    {
        using var upstream = new HeldUpstream();
        await using Command bridge = Command.StartWithInput(["stdio", "name", "--target-uri", upstream.Address], out StreamWriter input);
        await input.WriteLineAsync(Ping);
        await input.FlushAsync();
        await upstream.RequestAsync();

        await bridge.SignalAsync(signal);
        Outcome outcome = await bridge.EndAsync();

        Assert.Equal(0, outcome.ExitCode);
        Assert.Equal("stopped", JsonNode.Parse(outcome.Output)!["error"]!["data"]!["reason"]!.GetValue<string>());
    }

    /// <summary>It has said all that it has to say, and waits for a stderr that nobody reads.</summary>
    [Fact]
    public async Task WhileTheLastLinesAreWrittenASignalDoesNotChangeTheExitCode()
    {
        if (!OperatingSystem.IsLinux())
        {
            return; // other systems have pipes of other sizes
        }

        await using Command command = Command.StartWithStreams(
            $"mkfifo {_folder.File("full")}; exec 3<>{_folder.File("full")}; head -c 65536 /dev/zero >&3; 2>&3",
            "proxy", "name", "--target-uri", "http://127.0.0.1:1/mcp", "--remote-auth-scopes", "idle");
        await command.LineAsync("on port");
        await command.SignalAsync("TERM");
        await command.LineAsync("stopped");

        await command.SignalAsync("TERM");

        Assert.Equal(0, (await command.EndAsync()).ExitCode);
    }

    /// <summary>Nobody holds its lock any more, and it can be read.</summary>
    private async Task ExpectTheStoreToBeUsableAsync()
    {
        Outcome logout = await Command.RunAsync(["logout", .. TargetAndStore]);
        Assert.Equal((0, ""), (logout.ExitCode, logout.Errors));
    }
}
