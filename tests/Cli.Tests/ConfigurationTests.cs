using System.Security.Cryptography;
using System.Text;
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

    [Theory]
    [InlineData("--token-exchange-audience a --token-exchange-audience b --token-exchange-param connection=hunter2")]
    [InlineData("--token-exchange-variant entra-obo --token-exchange-scopes api://a/.default")]
    [InlineData("--token-exchange-variant jwt-bearer --token-exchange-resource https://r.example")]
    public async Task WhatIsPrintedOfAnExchangeHasNoSecretAndIsTakenAgain(string flags)
    {
        var secret = new Dictionary<string, string> { ["TOOLHIVE_TOKEN_EXCHANGE_CLIENT_SECRET"] = "hunter2" };
        string[] args = [.. Least, "--token-exchange-url", "https://login.example.com/token", "--token-exchange-client-id", "c", .. flags.Split(' ')];

        Outcome printed = await Command.RunAsync(args, secret);
        Assert.Equal((0, ""), (printed.ExitCode, printed.Errors));
        Assert.DoesNotContain("hunter2", printed.Output, StringComparison.Ordinal);
        File.WriteAllText(_file, printed.Output.Replace("***", "hunter3", StringComparison.Ordinal));
        Outcome again = await Command.RunAsync(["proxy", "--config", _file, "--check"]);

        Assert.Equal((0, printed.Output), (again.ExitCode, again.Output));
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
        File.WriteAllText(_file, """{ "allowed-origins": ["http://a", "http://b"], "debug": true, "port": 9000 }""");

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

    [Fact]
    public async Task CheckPrintsTheNameOfTheServerAndAConfigFileCanGiveIt()
    {
        Outcome first = await Command.RunAsync(Least);
        File.WriteAllText(_file, first.Output);

        Outcome second = await Command.RunAsync(["proxy", "--check", "--config", _file]);

        Assert.Contains("\"server-name\": \"name\"", first.Output, StringComparison.Ordinal);
        Assert.Equal(first.Output, second.Output);
    }

    [Fact]
    public async Task NameOnTheCommandLineGoesBeforeTheConfigFile()
    {
        File.WriteAllText(_file, """{ "server-name": "other" }""");

        Assert.Equal("name", await EffectiveAsync("server-name", [.. Least, "--config", _file]));
    }

    [Theory]
    [InlineData("""{ "remote-auth-bearer-token": "***" }""", "\"remote-auth-bearer-token\"")]
    [InlineData("""{ "remote-auth-client-secret": "***" }""", "\"remote-auth-client-secret\"")]
    [InlineData("""{ "target-uri": "http://localhost/mcp?***" }""", "\"target-uri\"")]
    [InlineData("""{ "remote-forward-headers": ["X-Key=***"] }""", "\"remote-forward-headers\"")]
    public async Task WhatCheckPrintsInASecretsPlaceIsNoSecret(string file, string key)
    {
        File.WriteAllText(_file, file);

        string error = await RefusedAsync();

        Assert.Contains($"has *** for {key}, which --check prints instead of a secret", error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task ConfigFileThatIsNotUtf8IsRefusedByItsLine()
    {
        File.WriteAllBytes(_file, [.. "{\n\"port\": 1,\n\"host\": \"caf"u8, 0xE9, .. "\"\n}"u8]);

        Assert.Contains("is not UTF-8 (line 3)", await RefusedAsync(), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("""{ "host": "\ud800" }""", "half of a surrogate pair")]
    [InlineData("""{ "\ud800": "x" }""", "half of a surrogate pair")]
    [InlineData("""{ "remote-auth-bearer-token-file": "a\u0000b" }""", "has the escape \\u0000")]
    [InlineData("""{ "ca-file": "a\u0000b" }""", "has the escape \\u0000")]
    [InlineData("""{ "port": 1, "port": 2 }""", "has the key \"port\" twice")]
    [InlineData("""{ "port": }""", "is not JSON (line 1, byte 11)")]
    [InlineData("""[]""", "must hold one JSON object")]
    [InlineData("""{ "idle-timout": "1s" }""", "did you mean \"idle-timeout\"?")]
    [InlineData("""{ "header": "X: 1" }""", "has the key \"header\", which is not a flag of this verb; use --remote-forward-headers NAME=VALUE")]
    [InlineData("""{ "server-name": "--debug" }""", "does not begin with a dash")]
    [InlineData("""{ "config": "x" }""", "has the key \"config\"")]
    public async Task ConfigFileThatCouldBeReadTwoWaysIsRefused(string file, string expected)
    {
        File.WriteAllText(_file, file);

        Assert.Contains(expected, await RefusedAsync(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task ByteOrderMarkBeforeTheConfigFileIsPassedOver()
    {
        File.WriteAllText(_file, """{ "idle-timeout": "1s" }""", new UTF8Encoding(encoderShouldEmitUTF8Identifier: true));

        Assert.Equal("1s", await EffectiveAsync("idle-timeout", [.. Least, "--config", _file]));
    }

    [Theory]
    [InlineData("two words")]
    [InlineData("Bearer abc")]
    [InlineData("caf\u00e9")]
    public async Task CheckSeesABearerFileThatHoldsNoToken(string held)
    {
        File.WriteAllText(_file, held);

        Outcome outcome = await Command.RunAsync([.. Least, "--remote-auth-bearer-token-file", _file]);

        Assert.Equal(2, outcome.ExitCode);
        Assert.Contains($"--remote-auth-bearer-token-file: {_file}: The bearer token must be one word", outcome.Errors, StringComparison.Ordinal);
        Assert.DoesNotContain(held, outcome.Errors, StringComparison.Ordinal);
    }

    [Fact]
    public async Task CheckSeesAKeyFileThatHoldsNoKey()
    {
        File.WriteAllText(_file, "-----BEGIN PRIVATE KEY-----\nhunter2\n-----END PRIVATE KEY-----\n");

        Outcome outcome = await Command.RunAsync([.. Least, "--remote-auth-client-id", "a", "--remote-auth-client-key-file", _file]);

        Assert.Equal(2, outcome.ExitCode);
        Assert.Contains($"--remote-auth-client-key-file: {_file} holds neither an EC nor an RSA private key in PEM", outcome.Errors, StringComparison.Ordinal);
        Assert.DoesNotContain("hunter2", outcome.Errors, StringComparison.Ordinal);
    }

    [Fact]
    public async Task CheckTakesAKeyFileThatHoldsOne()
    {
        using ECDsa key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        File.WriteAllText(_file, key.ExportPkcs8PrivateKeyPem());

        Outcome outcome = await Command.RunAsync([.. Least, "--remote-auth-client-id", "a", "--remote-auth-client-key-file", _file]);

        Assert.Equal(0, outcome.ExitCode);
    }

    [Fact]
    public async Task SecretFileThatIsTooLargeIsTheWrongFile()
    {
        File.WriteAllText(_file, new string('a', 65537));

        Outcome outcome = await Command.RunAsync([.. Least, "--remote-auth-bearer-token-file", _file]);

        Assert.Equal(2, outcome.ExitCode);
        Assert.Contains("is larger than 64 KiB", outcome.Errors, StringComparison.Ordinal);
    }

    [Fact]
    public async Task SecretGoesBeforeItsFileWithAWarning()
    {
        await using Command command = Command.Start(
            [.. Least[..^1], "--remote-auth-client-id", "a", "--remote-auth-client-secret", "hunter2", "--remote-auth-client-secret-file", "no/such/file", "--remote-auth-store", "none"]);

        await command.ErrorLineAsync("--remote-auth-client-secret-file is not read, since --remote-auth-client-secret is given too");
    }

    [Fact]
    public async Task FileOfASecretGoesBeforeASecretInTheEnvironment()
    {
        var environment = new Dictionary<string, string> { ["MCPPROXYFAST_REMOTE_AUTH_CLIENT_SECRET"] = "hunter2" };
        File.WriteAllText(_file, "hunter3");

        Outcome outcome = await Command.RunAsync([.. Least, "--remote-auth-client-id", "a", "--remote-auth-client-secret-file", _file], environment);

        Assert.Equal("", outcome.Errors);
        Assert.DoesNotContain("\"remote-auth-client-secret\"", outcome.Output, StringComparison.Ordinal);
    }

    private async Task<string> RefusedAsync()
    {
        Outcome outcome = await Command.RunAsync([.. Least, "--config", _file]);
        Assert.Equal(2, outcome.ExitCode);
        Assert.Empty(outcome.Output);
        return Assert.Single(outcome.Errors.Split('\n', StringSplitOptions.RemoveEmptyEntries));
    }

    private static async Task<string> EffectiveAsync(string flag, string[] args, Dictionary<string, string>? environment = null)
    {
        Outcome outcome = await Command.RunAsync(args, environment);
        Assert.Equal("", outcome.Errors);
        return JsonDocument.Parse(outcome.Output).RootElement.GetProperty(flag).ToString();
    }

    private static string Compact(string json) => JsonSerializer.Serialize(JsonSerializer.Deserialize<string[]>(json));
}
