using McpProxyFast.Cli.Tests.Support;
using Xunit;

namespace McpProxyFast.Cli.Tests;

/// <summary>What a proxy lays open to other machines is refused where that is a credential, and said loudly where it is less.</summary>
public sealed class ExposureTests
{
    private static readonly Dictionary<string, string> Token = new() { ["MCPPROXYFAST_REMOTE_AUTH_BEARER_TOKEN"] = "hunter2" };

    [Theory]
    [InlineData("0.0.0.0")]
    [InlineData("::")]
    public async Task CredentialIsNotLentToTheNetwork(string host)
    {
        Outcome outcome = await Command.RunAsync(["proxy", "name", "--target-uri", "https://mcp.example.com/mcp", "--host", host], Token);

        Assert.Equal((2, ""), (outcome.ExitCode, outcome.Output));
        string line = Assert.Single(outcome.Errors.Split('\n', StringSplitOptions.RemoveEmptyEntries));
        Assert.Contains("anyone who can reach it would act with your credential at https://mcp.example.com/mcp", line, StringComparison.Ordinal);
        Assert.Contains("--oidc-issuer", line, StringComparison.Ordinal);
        Assert.Contains("--allow-unprotected", line, StringComparison.Ordinal);
    }

    /// <summary>A secret in another field than Authorization opens the target all the same.</summary>
    [Theory]
    [InlineData("--remote-forward-headers-secret X-Key=env:KEY", true)]
    [InlineData("--remote-forward-headers Authorization=hunter2", true)]
    [InlineData("--remote-forward-headers X_API_KEY=hunter2", true)]
    [InlineData("--remote-forward-headers X-Tenant=acme", false)]
    public async Task SecretInAFieldIsNotLentToTheNetworkEither(string flags, bool isCredential)
    {
        Outcome outcome = await Command.RunAsync(
            ["proxy", "name", "--target-uri", "https://mcp.example.com/mcp", "--host", "0.0.0.0", "--check", .. flags.Split(' ')],
            new Dictionary<string, string> { ["KEY"] = "hunter2" });

        Assert.Equal(isCredential ? 2 : 0, outcome.ExitCode);
        Assert.Equal(isCredential, outcome.Errors.Contains("would act with your credential", StringComparison.Ordinal));
        Assert.DoesNotContain("hunter2", outcome.Output + outcome.Errors, StringComparison.Ordinal);
    }

    [Fact]
    public async Task CheckRefusesItToo() =>
        Assert.Equal(2, (await Command.RunAsync(["proxy", "name", "--target-uri", "https://a.example", "--host", "0.0.0.0", "--check"], Token)).ExitCode);

    [Theory]
    [InlineData("caller", 0)]
    [InlineData("outgoing", 2)]
    public async Task ExchangeForTheCallersOwnTokenLendsNothing(string subject, int exitCode) => Assert.Equal(exitCode, (await Command.RunAsync(
        [
            "proxy", "name", "--target-uri", "https://a.example", "--host", "0.0.0.0", "--check",
            "--token-exchange-url", "https://login.example.com/token", "--token-exchange-subject", subject,
        ],
        Token)).ExitCode);

    [Fact]
    public async Task CredentialThatIsLentOnPurposeIsSaid() => Assert.Contains(
        "warn  UNPROTECTED: --host 0.0.0.0 is reachable from other machines, and anyone who can reach it acts with your credential at http://127.0.0.1:1/",
        await ErrorsAsync("--target-uri http://127.0.0.1:1 --host 0.0.0.0 --allow-unprotected", Token), StringComparison.Ordinal);

    [Fact]
    public async Task UnprotectedListenerBeyondThisMachineIsSaid() => Assert.Contains(
        "warn  UNPROTECTED: --host 0.0.0.0 is reachable from other machines, and anyone who can reach it may use the MCP server",
        await ErrorsAsync("--target-uri http://127.0.0.1:1 --host 0.0.0.0", null), StringComparison.Ordinal);

    [Fact]
    public async Task ProtectedListenerBeyondThisMachineIsNoCauseForAlarm() => Assert.DoesNotContain(
        "UNPROTECTED",
        await ErrorsAsync("--target-uri http://127.0.0.1:1 --host 0.0.0.0 --oidc-issuer https://login.example.com --oidc-audience a", Token),
        StringComparison.Ordinal);

    [Theory]
    [InlineData("http://192.0.2.1/mcp", true)]
    [InlineData("http://mcp.internal:8080/mcp", true)]
    [InlineData("http://127.0.0.1:1/mcp", false)]
    [InlineData("http://localhost:1/mcp", false)]
    [InlineData("https://192.0.2.1/mcp", false)]
    public async Task CredentialInPlainHttpBeyondThisMachineIsSaid(string target, bool isSaid) => Assert.Equal(
        isSaid, (await ErrorsAsync($"--target-uri {target}", Token)).Contains($"warn  UNENCRYPTED: credentials go to {target}", StringComparison.Ordinal));

    private static async Task<string> ErrorsAsync(string flags, Dictionary<string, string>? environment)
    {
        await using Command command = Command.Start(["proxy", "name", .. flags.Split(' ')], environment);
        await command.LineAsync("on port");
        await command.SignalAsync("TERM");
        return (await command.EndAsync()).Errors;
    }
}
