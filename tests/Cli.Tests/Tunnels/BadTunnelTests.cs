using McpProxyFast.Authorization.Tests.Outgoing.Support;
using McpProxyFast.Cli.Tests.Support;
using Xunit;

namespace McpProxyFast.Cli.Tests.Tunnels;

/// <summary>Wrong use of <c>tunnel</c>: found in the order of <c>thv</c>, before anything starts, with a line that says what would be right.</summary>
public sealed class BadTunnelTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData("tunnel", "--tunnel-provider is required: Who makes the tunnel: ngrok, cloudflared, ssh or openai")]
    [InlineData("tunnel --tunnel-provider ssh", "TARGET is missing: give an http or https URL, and after it SERVER_NAME")]
    [InlineData("tunnel http://a --tunnel-provider ssh", "SERVER_NAME is missing: give the name of the MCP server")]
    [InlineData("tunnel http://a name more --tunnel-provider ssh", "unexpected argument 'more'")]
    [InlineData("tunnel http://a name --tunnel-provider=", "--tunnel-provider is given and empty")]
    [InlineData("tunnel http://a name --tunnel-provider ngrokk", "--tunnel-provider: there is no provider 'ngrokk'; did you mean ngrok? The providers are: ngrok, cloudflared, ssh, openai")]
    [InlineData("tunnel http://a name --tunnel-provider ngrok --provider-args {", "--provider-args: it is not a JSON object")]
    [InlineData("tunnel http://a name --tunnel-provider ngrok --provider-args []", "--provider-args: it must be a JSON object, such as")]
    [InlineData("tunnel http://a name --tunnel-provider ngrok --provider-args {\"url\":\"a\",\"url\":\"b\"}", "--provider-args: it is not a JSON object, or has a member twice")]
    [InlineData("tunnel ftp://a name --tunnel-provider cloudflared", "TARGET must be an absolute http or https URL, such as http://localhost:8080/mcp, not 'ftp://a'")]
    [InlineData("tunnel localhost:8080 name --tunnel-provider cloudflared", "TARGET must be an absolute http or https URL")]
    [InlineData("tunnel http://a:b@c name --tunnel-provider cloudflared", "TARGET must not contain a user name")]
    [InlineData("tunnel http://a name --tunnel-provider cloudflared --target-uri http://b", "--target-uri: a tunnel's target is its first argument, TARGET; leave --target-uri out")]
    [InlineData("tunnel http://localhost:9000/mcp name --tunnel-provider cloudflared --port 9000 --allow-unprotected", "TARGET: http://localhost:9000 is where the proxy itself would listen")]
    [InlineData("tunnel http://a name --tunnel-provider ngrok", "--provider-args: ngrok needs \"auth-token\", as in {\"auth-token\":\"YOUR-TOKEN\"}")]
    [InlineData("tunnel http://a name --tunnel-provider ngrok --provider-args {\"auth-token\":1}", "--provider-args: \"auth-token\" must be a string")]
    [InlineData("tunnel http://a name --tunnel-provider ngrok --provider-args {\"auth-token\":\"\"}", "--provider-args: \"auth-token\" is given and empty")]
    [InlineData("tunnel http://a name --tunnel-provider ngrok --provider-args {\"auth_token\":\"t\"}", "the member \"auth_token\" is unknown to ngrok; did you mean \"auth-token\"?")]
    [InlineData("tunnel http://a name --tunnel-provider ngrok --provider-args {\"auth-token\":\"t\",\"pooling\":\"yes\"}", "\"pooling\" must be true or false")]
    [InlineData("tunnel http://a name --tunnel-provider ngrok --provider-args {\"auth-token\":\"t\",\"dry-run\":1}", "\"dry-run\" must be true or false")]
    [InlineData("tunnel http://a name --tunnel-provider ngrok --provider-args {\"auth-token\":\"t\",\"url\":\"tcp://a\"}", "\"url\" must be an http or https URL without a path")]
    [InlineData("tunnel http://a name --tunnel-provider ngrok --provider-args {\"auth-token\":\"t\",\"traffic-policy-file\":\"no/such.json\"}", "must be a file that ends in .yml or .yaml")]
    [InlineData("tunnel http://a name --tunnel-provider ngrok --provider-args {\"auth-token\":\"t\",\"traffic-policy-file\":\"no/such.yml\"}", "no/such.yml cannot be read")]
    [InlineData("tunnel http://a name --tunnel-provider cloudflared --provider-args {\"url\":\"https://a\"}", "\"url\" belongs to a named tunnel")]
    [InlineData("tunnel http://a name --tunnel-provider cloudflared --provider-args {\"token-env\":\"A\",\"token-file\":\"b\"}", "exclude each other")]
    [InlineData("tunnel http://a name --tunnel-provider cloudflared --provider-args {\"token-env\":\"NO_SUCH\"}", "the variable NO_SUCH is not set, or is empty")]
    [InlineData("tunnel http://a name --tunnel-provider cloudflared --provider-args {\"token-file\":\"no/such\"}", "no/such cannot be read")]
    [InlineData("tunnel http://a name --tunnel-provider cloudflared --provider-args {\"token-env\":\"PATH\"}", "needs \"url\", the public URL")]
    [InlineData("tunnel http://a name --tunnel-provider cloudflared --provider-args {\"token-env\":\"PATH\",\"url\":\"https://a\"}", "--port must be given for a named tunnel of cloudflared")]
    [InlineData("tunnel http://a name --tunnel-provider ssh", "--provider-args: ssh needs \"host\", as in {\"host\":\"user@host.example.com\"}")]
    [InlineData("tunnel http://a name --tunnel-provider ssh --provider-args {\"host\":\"-oProxyCommand=x\"}", "\"host\" must be a host, or a user and a host")]
    [InlineData("tunnel http://a name --tunnel-provider ssh --provider-args {\"host\":\"u@-h\"}", "\"host\" must be a host, or a user and a host")]
    [InlineData("tunnel http://a name --tunnel-provider ssh --provider-args {\"host\":\"u@h:22\"}", "its port is given as \"port\"")]
    [InlineData("tunnel http://a name --tunnel-provider ssh --provider-args {\"host\":\"u@h\",\"port\":0}", "\"port\" must be a whole number from 1 to 65535")]
    [InlineData("tunnel http://a name --tunnel-provider ssh --provider-args {\"host\":\"u@h\",\"remote-port\":\"80\"}", "\"remote-port\" must be a whole number from 0 to 65535")]
    [InlineData("tunnel http://a name --tunnel-provider ssh --provider-args {\"host\":\"u@h\",\"remote-host\":\"a:b,c\"}", "\"remote-host\" must be an address or a name")]
    [InlineData("tunnel http://a name --tunnel-provider ssh --provider-args {\"host\":\"u@h\",\"identity-file\":\"no/such\"}", "\"identity-file\": no/such is not a file")]
    [InlineData("tunnel http://a name --tunnel-provider ssh --provider-args {\"host\":\"u@h\",\"url\":\"https://a?b\"}", "\"url\" must be an http or https URL such as")]
    [InlineData("tunnel http://a name --tunnel-provider openai", "openai needs \"tunnel-id\"")]
    [InlineData("tunnel http://a name --tunnel-provider openai --provider-args {\"tunnel-id\":\"t\"}", "openai needs either \"api-key-file\" or \"api-key-env\"")]
    [InlineData("tunnel http://a name --tunnel-provider openai --provider-args {\"tunnel-id\":\"t\",\"api-key\":\"k\"}", "the member \"api-key\" is unknown to openai")]
    [InlineData("tunnel http://a name --tunnel-provider openai --provider-args {\"tunnel-id\":\"t\",\"api-key-env\":\"PATH\",\"api-key-file\":\"f\"}", "openai needs either")]
    [InlineData("tunnel http://a name --tunnel-provider openai --provider-args {\"tunnel-id\":\"t\",\"api-key-env\":\"NO_SUCH\"}", "the variable NO_SUCH is not set")]
    [InlineData("tunnel http://a name --tunnel-provider openai --provider-args {\"tunnel-id\":\"t\",\"api-key-env\":\"PATH\",\"base-url\":\"http://b\"}", "\"base-url\" must be an https URL (http only on loopback)")]
    [InlineData("tunnel http://a name --tunnel-provider openai --provider-args {\"tunnel-id\":\"t\",\"api-key-env\":\"PATH\",\"concurrency\":0}", "\"concurrency\" must be a whole number from 1 to 256")]
    [InlineData("tunnel http://a name --tunnel-provider openai --provider-args {\"tunnel-id\":\"t\",\"api-key-env\":\"PATH\",\"concurrency\":257}", "\"concurrency\" must be a whole number from 1 to 256")]
    [InlineData("tunnel http://a name --tunnel-provider openai --provider-args {\"tunnel-id\":\"t\",\"api-key-env\":\"PATH\",\"channel\":\"main\"}", "\"channel\" must be an array of strings")]
    [InlineData("tunnel http://a name --tunnel-provider openai --provider-args {\"tunnel-id\":\"t\",\"api-key-env\":\"PATH\",\"channel\":[\"a\",\"a\"]}", "\"channel\" must be at most 32 different names")]
    [InlineData("tunnel http://a/mcp name --tunnel-provider cloudflared", "anyone who learns the tunnel's address could use the MCP server at http://a/mcp: say who may come in (--oidc-issuer")]
    [InlineData("tunnel http://a/mcp name --tunnel-provider cloudflared --check", "or add --allow-unprotected")]
    [InlineData("tunnel http://a/mcp name --tunnel-provider cloudflared --remote-auth", "could act with your credential at http://a/mcp")]
    [InlineData("tunnel http://a/mcp name --tunnel-provider cloudflared --remote-forward-headers X-Api-Key=a", "could act with your credential at http://a/mcp")]
    [InlineData("tunnel http://a name --tunnel-provider cloudflared --max-connections 0", "--max-connections must be a COUNT such as 10000, not '0'")]
    [InlineData("proxy tunnel http://a name --tunnel-provider ngrokk", "there is no provider 'ngrokk'")]
    [InlineData("launch-agent", "launch-agent is an internal verb; use tunnel")]
    public async Task WrongUseEndsWithCodeTwoAndOneLine(string commandLine, string expected)
    {
        Outcome outcome = await Command.RunAsync(commandLine.Split(' '));

        Assert.Equal(2, outcome.ExitCode);
        Assert.Empty(outcome.Output);
        Assert.Contains(expected, Assert.Single(outcome.Errors.Split('\n', StringSplitOptions.RemoveEmptyEntries)), StringComparison.Ordinal);
    }

    /// <summary>Each line has all the later mistakes too.</summary>
    [Theory]
    [InlineData("localhost:8080 name --tunnel-provider nobody --provider-args { --max-connections 0", "--tunnel-provider")]
    [InlineData("localhost:8080 name --tunnel-provider ngrok --provider-args { --max-connections 0", "--provider-args: it is not a JSON object")]
    [InlineData("localhost:8080 name --tunnel-provider ngrok --max-connections 0", "TARGET must be")]
    [InlineData("http://a name --tunnel-provider ngrok --max-connections 0", "ngrok needs \"auth-token\"")]
    [InlineData("http://a name --tunnel-provider ngrok --provider-args {\"auth-token\":\"t\"} --max-connections 0", "--max-connections")]
    [InlineData("http://a name --tunnel-provider ngrok --provider-args {\"auth-token\":\"t\"} --allowed-hosts a/b", "--allowed-hosts")]
    [InlineData("http://a name --tunnel-provider ngrok --provider-args {\"auth-token\":\"t\",\"dry-run\":true}", "--allow-unprotected")]
    public async Task MistakesAreToldInTheirOrder(string arguments, string expected)
    {
        Outcome outcome = await Command.RunAsync(["tunnel", .. arguments.Split(' ')]);

        Assert.Equal(2, outcome.ExitCode);
        Assert.Contains(expected, Assert.Single(outcome.Errors.Split('\n', StringSplitOptions.RemoveEmptyEntries)), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("", "is empty")]
    [InlineData("# nothing but a remark\n", "is empty")]
    [InlineData("on_http_request: [\n", "is not YAML (line 2")]
    [InlineData("on_http_request:\n  - actions\n- deny\n", "is not YAML (line 3")]
    [InlineData("a: b: c\n", "is not YAML (line 1")]
    public async Task PolicyThatIsNoYamlIsRefused(string content, string expected)
    {
        string policy = _folder.Write("policy.yaml", content);

        Outcome outcome = await Command.RunAsync(
            ["tunnel", "http://a", "name", "--tunnel-provider", "ngrok", "--provider-args", $$"""{"auth-token":"t","traffic-policy-file":"{{policy}}"}"""]);

        Assert.Equal(2, outcome.ExitCode);
        Assert.Contains($"{policy} {expected}", outcome.Errors, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("""{"auth-token":"hunter2","pooling":1}""")]
    [InlineData("""{"auth-token":"hunter2\u0007"}""")]
    [InlineData("""{"auth-token":"hunter2""")]
    [InlineData("""{"auth-token":hunter2}""")]
    public async Task TokenIsNotRepeatedInTheComplaint(string given)
    {
        Outcome outcome = await Command.RunAsync(["tunnel", "http://a", "name", "--tunnel-provider", "ngrok", "--provider-args", given]);

        Assert.Equal(2, outcome.ExitCode);
        Assert.DoesNotContain("hunter2", outcome.Errors, StringComparison.Ordinal);
    }

    [Fact]
    public async Task CheckPrintsTheTunnelWithoutItsTokenAndWhatItPrintsIsRefusedAsItIs()
    {
        string[] flags = ["--tunnel-provider", "ngrok", "--oidc-issuer", "https://login.example.com", "--check"];
        Outcome printed = await Command.RunAsync(
            ["tunnel", "http://a/mcp?key=hunter2", "notes", "--provider-args", """{"auth-token":"hunter2","pooling":true}""", .. flags]);

        Assert.Equal(0, printed.ExitCode);
        Assert.DoesNotContain("hunter2", printed.Output, StringComparison.Ordinal);
        Assert.Contains("\"target\": \"http://a/mcp?***\"", printed.Output, StringComparison.Ordinal);
        Assert.Contains("\"server-name\": \"notes\"", printed.Output, StringComparison.Ordinal);

        Outcome read = await Command.RunAsync(["tunnel", "--config", _folder.Write("printed.json", printed.Output)]);
        Assert.Equal(2, read.ExitCode);
        Assert.Contains("has *** for \"target\", which --check prints instead of a secret", read.Errors, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("""{"target":"http://a/mcp","server-name":"notes"}""")]
    [InlineData("""{"target":"http://a/mcp"}""", "notes")]
    [InlineData("""{"server-name":"notes"}""", "http://a/mcp")]
    [InlineData("""{"target":"http://b","server-name":"other"}""", "http://a/mcp", "notes")]
    public async Task TargetAndNameMayComeFromTheConfigFile(string config, params string[] positionals)
    {
        Outcome outcome = await Command.RunAsync(
        [
            "tunnel", .. positionals, "--config", _folder.Write("config.json", config), "--tunnel-provider", "cloudflared", "--allow-unprotected", "--check",
        ]);

        Assert.Equal(0, outcome.ExitCode);
        Assert.Contains("\"target\": \"http://a/mcp\"", outcome.Output, StringComparison.Ordinal);
        Assert.Contains("\"server-name\": \"notes\"", outcome.Output, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("{\n  \"auth-token\": \"t\",\n  \"pooling\": true\n}\n")]
    [InlineData("  {\"auth-token\":\"t\"}")]
    public async Task ArgumentsOfTheProviderMayHaveSeveralLines(string given)
    {
        Outcome outcome = await Command.RunAsync(
            ["tunnel", "http://a/mcp", "notes", "--tunnel-provider", "ngrok", "--allow-unprotected", "--check"],
            new Dictionary<string, string> { ["MCPPROXYFAST_PROVIDER_ARGS"] = given });

        Assert.Equal((0, ""), (outcome.ExitCode, outcome.Errors));
    }

    [Fact]
    public async Task SettingOfTheTargetInTheEnvironmentIsNotPassedOver()
    {
        Outcome outcome = await Command.RunAsync(
            ["tunnel", "http://a", "name", "--tunnel-provider", "cloudflared", "--check"],
            new Dictionary<string, string> { ["MCPPROXYFAST_TARGET_URI"] = "http://b" });

        Assert.Equal(2, outcome.ExitCode);
        Assert.Contains("MCPPROXYFAST_TARGET_URI: a tunnel's target is its first argument", outcome.Errors, StringComparison.Ordinal);
    }
}
