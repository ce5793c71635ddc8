using System.Text.Json;
using McpProxyFast.Cli.Tests.Support;
using Xunit;

namespace McpProxyFast.Cli.Tests;

/// <summary>Where values come from, seen through <c>--check</c>.</summary>
public sealed class ConfigurationTests : IDisposable
{
    private static readonly string[] Least = ["proxy", "name", "--target-uri", "http://localhost:8080", "--check"];

    private readonly string _file = Path.GetTempFileName();

    public void Dispose() => File.Delete(_file);

    [Fact]
    public async Task DefaultHoldsWhereNothingIsGiven() => Assert.Equal("120s", await EffectiveAsync("idle-timeout", Least));

    [Fact]
    public async Task ConfigFileGoesBeforeTheDefault()
    {
        File.WriteAllText(_file, """{ "idle-timeout": "1s" }""");

        Assert.Equal("1s", await EffectiveAsync("idle-timeout", [.. Least, "--config", _file]));
    }

    [Fact]
    public async Task EnvironmentGoesBeforeTheConfigFile()
    {
        File.WriteAllText(_file, """{ "idle-timeout": "1s" }""");
        var environment = new Dictionary<string, string> { ["MCPPROXYFAST_IDLE_TIMEOUT"] = "2s" };

        Assert.Equal("2s", await EffectiveAsync("idle-timeout", [.. Least, "--config", _file], environment));
    }

    [Fact]
    public async Task FlagGoesBeforeTheEnvironment()
    {
        var environment = new Dictionary<string, string> { ["MCPPROXYFAST_IDLE_TIMEOUT"] = "2s" };

        Assert.Equal("3s", await EffectiveAsync("idle-timeout", [.. Least, "--idle-timeout=3s"], environment));
    }

    [Fact]
    public async Task ListThatIsNotGivenIsNoEmptyList()
    {
        Outcome outcome = await Command.RunAsync(Least);

        Assert.DoesNotContain("allowed-hosts", outcome.Output, StringComparison.Ordinal);
        Assert.Contains("oidc-scopes", outcome.Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task BoolCanBeSwitchedOffOnTheCommandLine()
    {
        var environment = new Dictionary<string, string> { ["MCPPROXYFAST_DEBUG"] = "true" };

        Assert.Equal("False", await EffectiveAsync("debug", [.. Least, "--debug=false"], environment));
    }

    [Fact]
    public async Task NameOfToolHiveIsReadWhereOursIsNotGiven()
    {
        var environment = new Dictionary<string, string> { ["TOOLHIVE_REMOTE_AUTH_BEARER_TOKEN"] = "hunter2" };

        Assert.Equal("***", await EffectiveAsync("remote-auth-bearer-token", Least, environment));
    }

    [Fact]
    public async Task FileOfASecretGoesBeforeTheNameOfToolHive()
    {
        var environment = new Dictionary<string, string> { ["TOOLHIVE_REMOTE_AUTH_BEARER_TOKEN"] = "hunter2" };
        File.WriteAllText(_file, "hunter3");

        Outcome outcome = await Command.RunAsync([.. Least, "--remote-auth-bearer-token-file", _file], environment);

        Assert.DoesNotContain("\"remote-auth-bearer-token\"", outcome.Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task RepeatableFlagTakesOneValueAndLeavesTheServerName()
    {
        string[] args =
        [
            "proxy", "--oidc-audience", "a", "--oidc-audience=b,c", "name", "--target-uri=http://localhost", "--oidc-issuer=https://login.example.com", "--check",
        ];

        Assert.Equal("""["a","b,c"]""", Compact(await EffectiveAsync("oidc-audience", args)));
    }

    [Fact]
    public async Task ArrayInTheEnvironmentHasOneValuePerLine()
    {
        var environment = new Dictionary<string, string> { ["MCPPROXYFAST_ALLOWED_ORIGINS"] = "http://a\nhttp://b" };

        Assert.Equal("""["http://a","http://b"]""", Compact(await EffectiveAsync("allowed-origins", Least, environment)));
    }

    [Fact]
    public async Task ArrayInTheConfigFileIsAJsonArray()
    {
        File.WriteAllText(_file, """{ "allowed-origins": ["http://a", "http://b"], "debug": true, "port": 8080 }""");

        Assert.Equal("""["http://a","http://b"]""", Compact(await EffectiveAsync("allowed-origins", [.. Least, "--config", _file])));
    }

    [Fact]
    public async Task UnknownKeyInTheConfigFileIsRefused()
    {
        File.WriteAllText(_file, """{ "idle-timout": "1s" }""");

        Outcome outcome = await Command.RunAsync([.. Least, "--config", _file]);

        Assert.Equal(2, outcome.ExitCode);
        Assert.Contains("idle-timout", outcome.Errors, StringComparison.Ordinal);
    }

    [Fact]
    public async Task CheckPrintsAConfigFileThatChecksTheSame()
    {
        Outcome first = await Command.RunAsync([.. Least, "--allowed-hosts", "a", "--response-timeout", "1m30s"]);
        File.WriteAllText(_file, first.Output);

        Outcome second = await Command.RunAsync(["proxy", "name", "--check", "--config", _file]);

        Assert.Equal(first.Output, second.Output);
    }

    [Fact]
    public async Task CheckPrintsNoSecret()
    {
        Outcome outcome = await Command.RunAsync(
            ["proxy", "name", "--target-uri", "http://localhost/mcp?key=hunter2", "--check", "--remote-auth-bearer-token", "hunter2"]);

        Assert.Equal(0, outcome.ExitCode);
        Assert.DoesNotContain("hunter2", outcome.Output + outcome.Errors, StringComparison.Ordinal);
    }

    private static async Task<string> EffectiveAsync(string flag, string[] args, Dictionary<string, string>? environment = null)
    {
        Outcome outcome = await Command.RunAsync(args, environment);
        Assert.Equal("", outcome.Errors);
        return JsonDocument.Parse(outcome.Output).RootElement.GetProperty(flag).ToString();
    }

    private static string Compact(string json) => JsonSerializer.Serialize(JsonSerializer.Deserialize<string[]>(json));
}
