using System.Diagnostics;
using System.Text.Json.Nodes;
using McpProxyFast.Authorization.Tests.Outgoing.Support;
using McpProxyFast.Cli.Tests.Support;
using Microsoft.AspNetCore.Http;
using Xunit;

namespace McpProxyFast.Cli.Tests;

/// <summary>The verb <c>stdio</c> as a process: what is on its streams, and how it ends.</summary>
public sealed class StdioTests : IDisposable
{
    private const string Ping = """{"jsonrpc":"2.0","id":1,"method":"ping"}""";
    private const string Pong = """{"jsonrpc":"2.0","id":1,"result":{}}""";

    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData("stdio")]
    [InlineData("proxy stdio")]
    public async Task AnswerIsOnStdoutAndNothingElseAndTheEndOfStdinEndsTheProcess(string verb)
    {
        using var upstream = new HeldUpstream();
        Task answering = AnswerAsync(upstream, Pong);

        Outcome outcome = await Command.RunWithInputAsync($"{Ping}\n", [.. verb.Split(' '), "name", "--target-uri", upstream.Address, "--debug"]);

        await answering;
        Assert.Equal($"{Pong}\n", outcome.Output);
        Assert.Equal(0, outcome.ExitCode);
    }

    /// <summary>The runtime may give the number of a stdin that is not there to something of its own.</summary>
    [Fact]
    public async Task ProcessWithoutStdinEndsAtOnce()
    {
        if (OperatingSystem.IsWindows())
        {
            return; // its shell cannot close a descriptor
        }

        using Process shell = Process.Start(
            new ProcessStartInfo("sh", ["-c", $"exec {Command.Shell} stdio name --target-uri http://127.0.0.1:1/mcp <&-"]) { RedirectStandardOutput = true })!;

        Assert.Equal("", await shell.StandardOutput.ReadToEndAsync().Soon());
        await shell.WaitForExitAsync().Soon();
        Assert.Equal(0, shell.ExitCode);
    }

    [Fact]
    public async Task FieldsOfTheUsersOwnGoToTheServer()
    {
        using var upstream = new HeldUpstream();
        Task<string> request = upstream.RequestAsync();
        await using Command command = Command.StartWithInput(
            ["stdio", "name", "--target-uri", upstream.Address, "--remote-forward-headers", "X-Tenant=acme"], out StreamWriter input);

        await input.WriteLineAsync(Ping);
        await input.FlushAsync();

        Assert.Contains("X-Tenant: acme\r\n", await request, StringComparison.Ordinal);
    }

    [Fact]
    public async Task CheckPrintsTheConfigurationAndEnds()
    {
        Outcome outcome = await Command.RunAsync(
            ["stdio", "notes", "--target-uri", "http://localhost:1/mcp?key=secret", "--ignore-tool", "delete_*", "--ignore-tool", "a,b", "--check"]);

        Assert.Equal(0, outcome.ExitCode);
        JsonNode shown = JsonNode.Parse(outcome.Output)!;
        Assert.Equal("http://localhost:1/mcp?***", shown["target-uri"]!.GetValue<string>());
        Assert.Equal(["delete_*", "a,b"], shown["ignore-tool"]!.AsArray().Select(tool => tool!.GetValue<string>()));
        Assert.Equal("60s", shown["reconnect-timeout"]!.GetValue<string>());
    }

    [Fact]
    public async Task LogGoesToItsFileAndNotToStderr()
    {
        string file = _folder.File("bridge.log");
        using var upstream = new HeldUpstream();
        Task answering = AnswerAsync(upstream, Pong);

        Outcome outcome = await Command.RunWithInputAsync($"nonsense\n{Ping}\n", ["stdio", "name", "--target-uri", upstream.Address, "--debug", "--log-file", file]);

        await answering;
        Assert.Equal("", outcome.Errors);
        Assert.Contains("Refused a message from the client", await File.ReadAllTextAsync(file), StringComparison.Ordinal);
        Assert.Equal(2, outcome.Output.Count('\n'));
        Assert.All(outcome.Output.TrimEnd().Split('\n'), line => Assert.Equal("2.0", JsonNode.Parse(line)!["jsonrpc"]!.GetValue<string>()));
    }

    [Fact]
    public async Task SigTermEndsTheProcessWithCode0()
    {
        using var upstream = new HeldUpstream();
        await using Command command = Command.StartWithInput(["stdio", "name", "--target-uri", upstream.Address], out StreamWriter input);
        await input.WriteLineAsync(Ping);
        await input.FlushAsync();
        await upstream.RequestAsync();

        await command.SignalAsync("TERM");
        Outcome outcome = await command.EndAsync();

        Assert.Equal(0, outcome.ExitCode);
        Assert.Equal("stopped", JsonNode.Parse(outcome.Output)!["error"]!["data"]!["reason"]!.GetValue<string>());
    }

    [Fact]
    public async Task ProcessEndsQuietlyWhenNobodyReadsItsStdout()
    {
        using var upstream = new HeldUpstream();
        Task answering = AnswerAsync(upstream, Pong);
        string command = $"{Command.Shell} stdio name --target-uri {upstream.Address}";
        var start = new ProcessStartInfo("sh", ["-c", $"(echo '{Ping}'; sleep 3600) | ({command}; echo code $? >&2) | true"])
        {
            RedirectStandardError = true,
        };
        using Process shell = Process.Start(start)!;
        string? line;
        try
        {
            line = await shell.StandardError.ReadLineAsync().Soon();
        }
        finally
        {
            shell.Kill(entireProcessTree: true); // its input goes on
        }

        await answering;
        Assert.Equal("code 0", line);
    }

    [Fact]
    public async Task InitializeWaitsForTheSignInAndSeveralBridgesOpenOneBrowser()
    {
        await using SignInServer server = await SignInServer.StartAsync(TimeProvider.System);
        string[] flags =
        [
            "stdio", "name", "--target-uri", server.Target.OriginalString, "--remote-auth", "--remote-auth-store", _folder.File("credentials"),
            "--remote-auth-callback-port", "0", "--drain-timeout", "1m",
        ];
        var environment = new Dictionary<string, string> { ["BROWSER"] = "curl --silent --location" };

        Outcome[] outcomes = await Task.WhenAll(Enumerable.Range(0, 3).Select(_ => Command.RunWithInputAsync($"{Ping}\n", flags, environment)));

        Assert.All(outcomes, outcome => Assert.Equal(0, outcome.ExitCode));
        Assert.Single(server.Authorizations);
        Assert.All(outcomes, outcome => Assert.Contains("upstream-response-invalid", outcome.Output, StringComparison.Ordinal)); // it answers "ok"
    }

    [Fact]
    public async Task ClientIsToldWhatToDoWhenNobodySignsIn()
    {
        await using SignInServer server = await SignInServer.StartAsync(TimeProvider.System);
        string[] flags =
        [
            "stdio", "name", "--target-uri", server.Target.OriginalString, "--remote-auth", "--remote-auth-store", _folder.File("credentials"),
            "--remote-auth-callback-port", "0", "--remote-auth-timeout", "1s", "--drain-timeout", "1m",
        ];
        var environment = new Dictionary<string, string> { ["BROWSER"] = "true" }; // it shows nothing

        Outcome outcome = await Command.RunWithInputAsync(
            """{"jsonrpc":"2.0","id":"hand","method":"initialize","params":{"protocolVersion":"2025-11-25","capabilities":{},"clientInfo":{"name":"t","version":"1"}}}""" + "\n",
            flags, environment);

        JsonNode error = JsonNode.Parse(outcome.Output)!;
        Assert.Equal("hand", error["id"]!.GetValue<string>());
        Assert.Equal(-32603, error["error"]!["code"]!.GetValue<int>());
        Assert.Contains("sign", error["error"]!["message"]!.GetValue<string>(), StringComparison.Ordinal);
        Assert.Equal(0, outcome.ExitCode);
    }

    [Fact]
    public async Task ClientIsToldWhichFlagHelpsWhenTheSignInFails()
    {
        await using SignInServer server = await SignInServer.StartAsync(TimeProvider.System);
        server.EditMetadata = metadata => metadata.Remove("registration_endpoint");

        Outcome outcome = await Command.RunWithInputAsync($"{Ping}\n", SignsInAt(server));

        string message = JsonNode.Parse(outcome.Output)!["error"]!["message"]!.GetValue<string>();
        Assert.Contains("--remote-auth-client-id", message, StringComparison.Ordinal);
        Assert.DoesNotContain("KnownClient", message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task SignInThatFailsIsLoggedWithTheFlagThatHelps()
    {
        await using SignInServer server = await SignInServer.StartAsync(TimeProvider.System);
        server.EditMetadata = metadata => metadata.Remove("registration_endpoint");

        Outcome outcome = await Command.RunWithInputAsync($"{Ping}\n", SignsInAt(server));

        Assert.Contains("has started without a credential", outcome.Errors, StringComparison.Ordinal);
        Assert.Contains("--remote-auth-client-id", outcome.Errors, StringComparison.Ordinal);
    }

    [Fact]
    public async Task ServerThatAsksForNothingNeedsNoSignIn()
    {
        await using SignInServer server = await SignInServer.StartAsync(TimeProvider.System);
        server.Overrides["/.well-known/oauth-protected-resource/mcp"] = http =>
        {
            http.Response.StatusCode = 404;
            return Task.CompletedTask;
        };
        server.Overrides["/mcp"] = http => http.Response.WriteAsync(Pong);

        Outcome outcome = await Command.RunWithInputAsync($"{Ping}\n", SignsInAt(server));

        Assert.Equal($"{Pong}\n", outcome.Output);
        Assert.Equal(0, outcome.ExitCode);
        Assert.Empty(server.Registrations);
    }

    private string[] SignsInAt(SignInServer server) =>
    [
        "stdio", "name", "--target-uri", server.Target.OriginalString, "--remote-auth", "--remote-auth-store", _folder.File("credentials"),
        "--remote-auth-callback-port", "0", "--drain-timeout", "1m",
    ];

    private static async Task AnswerAsync(HeldUpstream upstream, string message)
    {
        await upstream.RequestAsync();
        await upstream.AnswerAsync(message, "application/json");
    }
}
