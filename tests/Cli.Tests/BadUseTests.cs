using System.Net;
using System.Net.Sockets;
using McpProxyFast.Cli.Tests.Support;
using Xunit;

namespace McpProxyFast.Cli.Tests;

/// <summary>Wrong use starts nothing and says in one line what would be right.</summary>
public sealed class BadUseTests
{
    [Theory]
    [InlineData("", "the command line must begin with a verb")]
    [InlineData("prxy", "unknown verb 'prxy'; did you mean proxy?")]
    [InlineData("logn --target-uri http://localhost", "unknown verb 'logn'; did you mean login?")]
    [InlineData("--port 1", "the command line must begin with a verb: proxy, stdio, tunnel, login")]
    [InlineData("help stdo", "unknown verb 'stdo'; did you mean stdio? The verbs are: proxy, stdio, tunnel, login")]
    [InlineData("--help prxy", "unknown verb 'prxy'; did you mean proxy?")]
    [InlineData("help nonsense all", "unknown verb 'nonsense'; The verbs are: proxy, stdio")]
    [InlineData("help completion", "`mcpproxyfast completion bash|zsh|fish` is not built into this version yet")]
    [InlineData("stdio name", "--target-uri is required")]
    [InlineData("stdio --target-uri http://localhost", "SERVER_NAME is missing: give the name of the MCP server")]
    [InlineData("stdio name --target-uri http://localhost --transport websocket", "--transport must be auto, http or sse, not 'websocket'")]
    [InlineData("stdio name --target-uri http://localhost --transport http-first", "--transport must be auto, http or sse, not 'http-first'; leave it out: auto does")]
    [InlineData("stdio name --target-uri http://localhost --transport http-only", "not 'http-only'; write http")]
    [InlineData("stdio name --target-uri http://localhost --transport streamablehttp", "not 'streamablehttp'; write http")]
    [InlineData("stdio name --target-uri http://localhost --transport sse-only", "not 'sse-only'; write sse")]
    [InlineData("stdio name --target-uri http://localhost --transport sse-first", "not 'sse-first'; leave it out: auto uses HTTP+SSE")]
    [InlineData("stdio name --target-uri http://localhost --protocol legacy", "--protocol must be auto or pass, not 'legacy'; write pass")]
    [InlineData("stdio name --target-uri http://localhost -H X:1", "unknown flag -H; use --remote-forward-headers NAME=VALUE")]
    [InlineData("stdio name --target-uri http://localhost -k", "unknown flag -k; certificates are always checked; trust your own certificate authority with --ca-file")]
    [InlineData("proxy name --target-uri http://localhost --header X:1", "unknown flag --header; use --remote-forward-headers NAME=VALUE")]
    [InlineData("proxy name --target-uri http://localhost --silent", "unknown flag --silent; --help all lists all flags")]
    [InlineData("status --header X:1", "unknown flag --header; --help all lists all flags")]
    [InlineData("demo --host 0.0.0.0", "unknown flag --host; did you mean --port?")]
    [InlineData("stdio name --target-uri http://localhost --protocol old", "--protocol must be auto or pass, not 'old'")]
    [InlineData("stdio name --target-uri http://localhost --reconnect-timeout 60", "--reconnect-timeout must be a DURATION such as 500ms, 30s, 2m30s or 1h, not '60'")]
    [InlineData("stdio name --target-uri http://localhost --reconnect-timeout 25h", "--reconnect-timeout must be a DURATION from 0s to 24h")]
    [InlineData("stdio name --target-uri http://localhost --connect-timeout 1ms", "--connect-timeout must be a DURATION such as 10s, not '1ms'")]
    [InlineData("stdio name --target-uri http://localhost --log-file no/such/folder/log", "--log-file: no/such/folder/log cannot be written to")]
    [InlineData("stdio name --target-uri http://localhost --port 9000", "unknown flag --port")]
    [InlineData("stdio name --target-uri http://localhost --token-exchange-url http://localhost/token", "unknown flag --token-exchange-url")]
    [InlineData("proxy stdio name", "--target-uri is required")]
    [InlineData("proxy --target-uri http://localhost stdio name", "`proxy stdio` is written `mcpproxyfast stdio [flags] SERVER_NAME`, the verb before")]
    [InlineData("proxy --target-uri http://localhost tunnel", "`proxy tunnel` is written `mcpproxyfast tunnel [flags] TARGET SERVER_NAME`, the verb before")]
    [InlineData("proxy name --target-uri http://localhost --remote-auth-scope a", "did you mean --remote-auth-scopes?")]
    [InlineData("proxy name --target-uri http://localhost --remote-auth-skip", "did you mean --remote-auth-skip-browser?")]
    [InlineData("proxy name --target-uri http://localhost --tls-crt a", "unknown flag --tls-crt; --help all lists all flags")]
    [InlineData("proxy name", "--target-uri is required")]
    [InlineData("proxy --target-uri http://localhost", "SERVER_NAME")]
    [InlineData("proxy name other --target-uri http://localhost", "unexpected argument 'other'")]
    [InlineData("proxy name --target-uri ftp://localhost", "--target-uri must be an absolute http or https URL")]
    [InlineData("proxy name --target-uri localhost", "--target-uri must be an absolute http or https URL")]
    [InlineData("proxy name --target-uri http://a:b@localhost", "--target-uri must not contain a user name")]
    [InlineData("proxy name --target-uri http://localhost --port 70000", "--port must be a number from 0 to 65535")]
    [InlineData("proxy name --target-uri http://localhost --port many", "--port cannot take this value")]
    [InlineData("proxy name --target-uri http://localhost --host 300.1.1.1.invalid", "--host must be an IP address")]
    [InlineData("proxy name --target-uri http://localhost:9000/mcp --port 9000", "--target-uri: http://localhost:9000 is where the proxy itself would listen")]
    [InlineData("proxy name --target-uri http://[::1]:9000/mcp --host localhost --port 9000", "--target-uri: http://[::1]:9000 is where the proxy itself")]
    [InlineData("proxy name --target-uri http://localhost --prot 1", "unknown flag --prot; did you mean --port?")]
    [InlineData("proxy name --target-uri http://localhost -p 1", "unknown flag -p")]
    [InlineData("proxy name --target-uri", "--target-uri needs a value: URL")]
    [InlineData("proxy name --target-uri --debug", "--target-uri needs a value: URL")]
    [InlineData("proxy name --target-uri http://localhost --debug=maybe", "--debug must be true or false")]
    [InlineData("proxy name --target-uri http://localhost --config no/such/file.json", "--config: no/such/file.json")]
    [InlineData("proxy name --target-uri http://localhost --idle-timeout 120", "--idle-timeout must be a DURATION such as 120s, not '120'. What it sets: Longest time a client connection is kept without a request, 10ms to 24h")]
    [InlineData("proxy name --target-uri http://localhost --idle-timeout 1ms", "--idle-timeout must be a DURATION such as 120s, not '1ms'")]
    [InlineData("proxy name --target-uri http://localhost --drain-timeout soon", "--drain-timeout must be a DURATION such as 5s, not 'soon'")]
    [InlineData("proxy name --target-uri http://localhost --max-body-size 8MB", "--max-body-size must be a SIZE such as 8MiB, not '8MB'")]
    [InlineData("proxy name --target-uri http://localhost --max-connections 0", "--max-connections must be a COUNT such as 10000, not '0'")]
    [InlineData("proxy name --target-uri http://localhost --x-forwarded maybe", "--x-forwarded must be set, append or off")]
    [InlineData("proxy name --target-uri http://localhost --allowed-origins nonsense", "--allowed-origins: 'nonsense' is not an origin")]
    [InlineData("proxy name --target-uri http://localhost --allowed-hosts a/b", "--allowed-hosts: 'a/b' is not a host")]
    [InlineData("proxy name --target-uri http://localhost --cors-origins nonsense", "--cors-origins: 'nonsense' is not an origin")]
    [InlineData("proxy name --target-uri http://localhost --ca-file no/such/file.pem", "--ca-file: no/such/file.pem")]
    [InlineData("proxy name --target-uri http://localhost --oidc-issuer http://login.example.com", "--oidc-issuer: the issuer must be an https URL")]
    [InlineData("proxy name --target-uri http://localhost --oidc-audience me", "--oidc-audience has no effect")]
    [InlineData("proxy name --target-uri http://localhost --oidc-issuer=", "--oidc-issuer is given and empty; give URL, or leave it out")]
    [InlineData("proxy name --target-uri http://localhost --allowed-hosts=", "--allowed-hosts is given and empty")]
    [InlineData("proxy name --target-uri http://localhost --oidc-client-secret s", "--oidc-client-secret has no effect without --oidc-issuer")]
    [InlineData("proxy name --target-uri http://localhost --oidc-issuer https://login.microsoftonline.com/common/v2.0", "put the tenant's id in place")]
    [InlineData("proxy name --target-uri http://localhost --remote-auth-bearer-token a --remote-auth-bearer-token-file b", "exclude each other")]
    [InlineData("proxy name --target-uri http://localhost --remote-auth-issuer https://a --remote-auth-token-url https://a/t", "exclude each other")]
    [InlineData("proxy name --target-uri http://localhost --remote-auth --remote-auth-client-id a --remote-auth-client-secret-file no/such", "--remote-auth-client-secret-file: no/such")]
    [InlineData("proxy name --target-uri http://localhost --remote-auth-bearer-token-file no/such", "--remote-auth-bearer-token-file: no/such cannot be read")]
    [InlineData("proxy name --target-uri http://localhost --remote-auth-client-id a --remote-auth-client-key-file no/such", "--remote-auth-client-key-file: no/such cannot be read")]
    [InlineData("proxy name --target-uri http://localhost --remote-auth-grant jwt-bearer --remote-auth-assertion-file no/such", "--remote-auth-assertion-file: no/such cannot be read")]
    [InlineData("proxy name --target-uri http://localhost --remote-auth-id-token-file no/such", "--remote-auth-id-token-file: no/such cannot be read")]
    [InlineData("proxy name --target-uri http://localhost --remote-auth --remote-auth-idp-token-url https://a", "--remote-auth-idp-token-url: it works only with --remote-auth-grant id-jag")]
    [InlineData("proxy name --target-uri http://localhost --remote-auth --remote-auth-grant jwt-bearer", "--remote-auth-assertion-file: the grant jwt-bearer needs an assertion file")]
    [InlineData("proxy name --target-uri http://localhost --remote-auth-authorize-url https://a", "--remote-auth-token-url: it must be given, since --remote-auth-authorize-url is given")]
    [InlineData("proxy name --target-uri http://localhost --remote-auth --remote-auth-client-metadata-url http://a/b", "--remote-auth-client-metadata-url: The client metadata URL must be an https URL")]
    [InlineData("proxy name --target-uri http://localhost --remote-auth --remote-auth-resource nonsense", "--remote-auth-resource: The resource must be an absolute URI")]
    [InlineData("proxy name --target-uri http://localhost --remote-auth --remote-auth-grant password", "--remote-auth-grant must be")]
    [InlineData("proxy name --target-uri http://localhost --allowed-origins nonsense --check", "--allowed-origins: 'nonsense' is not an origin")]
    [InlineData("proxy name --target-uri http://localhost --allowed-hosts a/b --check", "--allowed-hosts: 'a/b' is not a host")]
    [InlineData("proxy name --target-uri http://localhost --cors-origins nonsense --check", "--cors-origins: 'nonsense' is not an origin")]
    [InlineData("proxy name --target-uri http://localhost --remote-auth-issuer http://login.example.com", "--remote-auth-issuer: The issuer must be an https URL")]
    [InlineData("proxy name --target-uri http://localhost --remote-auth-client-id a --remote-auth-grant client_credentials", "--remote-auth-grant: the grant client_credentials needs")]
    [InlineData("proxy name --target-uri http://localhost --remote-auth --remote-auth-callback-port 70000", "--remote-auth-callback-port: The callback port must lie")]
    [InlineData("proxy name --target-uri http://localhost --remote-auth --remote-auth-timeout 2h", "--remote-auth-timeout: The sign-in timeout must lie")]
    [InlineData("proxy name --target-uri http://localhost --token-exchange-url http://a.example", "--token-exchange-url: The token exchange URL must be an https URL")]
    [InlineData("proxy name --target-uri http://localhost --token-exchange-audience a", "--token-exchange-audience has no effect without --token-exchange-url")]
    [InlineData("proxy name --target-uri http://localhost --remote-forward-headers X-Tenant", "--remote-forward-headers must be written NAME=VALUE")]
    [InlineData("proxy name --target-uri http://localhost --remote-forward-headers =acme", "--remote-forward-headers: A field's name must be one word")]
    [InlineData("proxy name --target-uri http://localhost --remote-forward-headers Host=a", "--remote-forward-headers: Host cannot be added")]
    [InlineData("proxy name --target-uri http://localhost --remote-forward-headers x-forwarded-for=a", "--remote-forward-headers: x-forwarded-for cannot be added")]
    [InlineData("proxy name --target-uri http://localhost --remote-forward-headers Mcp-Session-Id=a --check", "--remote-forward-headers: Mcp-Session-Id cannot be added")]
    [InlineData("proxy name --target-uri http://localhost --remote-forward-headers-secret X-Key", "--remote-forward-headers-secret must be written NAME=REF")]
    [InlineData("proxy name --target-uri http://localhost --remote-forward-headers-secret Content-Type=env:A", "--remote-forward-headers-secret: Content-Type cannot")]
    [InlineData("proxy name --target-uri http://localhost --remote-forward-headers-secret X-Key=", "--remote-forward-headers-secret: the REF that is given for the header field X-Key is not valid")]
    [InlineData("proxy name --target-uri http://localhost --remote-forward-headers-secret X-Key=env:", "--remote-forward-headers-secret: the REF that is given for the header field X-Key is not valid")]
    [InlineData("proxy name --target-uri http://localhost --remote-forward-headers-secret X-Key=file:", "--remote-forward-headers-secret: the REF that is given for the header field X-Key is not valid")]
    [InlineData("proxy name --target-uri http://localhost --remote-forward-headers-secret X-Key=vault:a", "--remote-forward-headers-secret: the REF that is given for the header field X-Key is not valid")]
    [InlineData("proxy name --target-uri http://localhost --remote-forward-headers-secret X-Key=env:NO_SUCH", "the header field X-Key takes its value from an environment variable (env:NAME) that is not set")]
    [InlineData("proxy name --target-uri http://localhost --remote-forward-headers-secret X-Key=file:no/such --check", "X-Key field's file no/such cannot be read")]
    [InlineData("proxy name --target-uri http://localhost --remote-auth-store none --remote-forward-headers-secret X-Key=a", "no secret is stored under the NAME")]
    [InlineData("login --target-uri http://localhost --remote-forward-headers Host=a", "--remote-forward-headers: Host cannot be added")]
    [InlineData("secret", "secret needs an action; write mcpproxyfast secret set NAME")]
    [InlineData("secret drop a", "unknown action 'drop'")]
    [InlineData("secret set", "the name of the secret is missing; write: mcpproxyfast secret set NAME")]
    [InlineData("secret delete", "the name of the secret is missing; write: mcpproxyfast secret delete NAME")]
    [InlineData("secret list a", "secret list takes no name")]
    [InlineData("secret set env:a", "NAME must be one word")]
    [InlineData("secret list --remote-auth-store none", "--remote-auth-store none keeps nothing after the command ends")]
    [InlineData("login", "--target-uri is required")]
    [InlineData("login name --target-uri http://localhost", "unexpected argument 'name'")]
    [InlineData("login --target-uri http://localhost --remote-auth-store none", "--remote-auth-store none keeps nothing after the command ends")]
    [InlineData("login --target-uri http://localhost --remote-auth-bearer-token-file a", "there is nothing to sign in for")]
    [InlineData("login --target-uri http://localhost --remote-auth-scopes a\"b", "--remote-auth-scopes: A scope must be one word")]
    [InlineData("logout", "--target-uri is required")]
    [InlineData("status --target-uri http://localhost", "unknown flag --target-uri")]
    [InlineData("status --remote-auth-store none", "--remote-auth-store none keeps nothing after the command ends")]
    [InlineData("demo --port -1", "--port must be a number from 0 to 65535")]
    public async Task WrongUseEndsWithCodeTwoAndOneLine(string commandLine, string expected)
    {
        Outcome outcome = await Command.RunAsync(commandLine.Split(' ', StringSplitOptions.RemoveEmptyEntries));

        Assert.Equal(2, outcome.ExitCode);
        Assert.Empty(outcome.Output);
        Assert.Contains(expected, Assert.Single(outcome.Errors.Split('\n', StringSplitOptions.RemoveEmptyEntries)), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("proxy name --target-uri http://localhost:1 --port")]
    [InlineData("demo --port")]
    public async Task BusyPortEndsWithCodeOneAndOneLine(string commandLine)
    {
        using var occupant = new TcpListener(IPAddress.Loopback, 0);
        occupant.Start();
        int port = ((IPEndPoint)occupant.LocalEndpoint).Port;

        Outcome outcome = await Command.RunAsync([.. commandLine.Split(' '), $"{port}"]);

        Assert.Equal(1, outcome.ExitCode);
        Assert.Empty(outcome.Output);
        Assert.Contains($"--port {port} is in use", Assert.Single(outcome.Errors.Split('\n', StringSplitOptions.RemoveEmptyEntries)), StringComparison.Ordinal);
    }

    [Fact]
    public async Task KeyOfTheStoreThatIsNoneIsNamedAndNotRepeated()
    {
        var environment = new Dictionary<string, string> { ["MCPPROXYFAST_STORE_KEY"] = "hunter2" };

        Outcome outcome = await Command.RunAsync(["status"], environment);

        Assert.Equal(2, outcome.ExitCode);
        Assert.Contains("MCPPROXYFAST_STORE_KEY: The store key must be 32 bytes", outcome.Errors, StringComparison.Ordinal);
        Assert.DoesNotContain("hunter2", outcome.Errors, StringComparison.Ordinal);
    }

    /// <summary>As curl has it, as a person types it who knows no references, as <c>thv secret set</c> takes it.</summary>
    [Theory]
    [InlineData("proxy name --target-uri http://localhost --remote-forward-headers|Authorization: Bearer hunter2==")]
    [InlineData("proxy name --target-uri http://localhost --remote-forward-headers|X-Key: hunter2")]
    [InlineData("proxy name --target-uri http://localhost --remote-forward-headers|X-Key=hunter2\nX-Evil: 1")]
    [InlineData("proxy name --target-uri http://localhost --remote-forward-headers|X-Key=hunter2\u0001")]
    [InlineData("proxy name --target-uri http://localhost --remote-forward-headers-secret|X-Key=hunter2")]
    [InlineData("proxy name --target-uri http://localhost --remote-forward-headers-secret|X-Key=hunter2:secret")]
    [InlineData("proxy name --target-uri http://localhost --remote-forward-headers-secret|hunter2")]
    [InlineData("proxy name --target-uri http://localhost --remote-forward-headers-secret|X-Key=env:BAD")]
    [InlineData("login --target-uri http://localhost --check --remote-forward-headers|Authorization: Bearer hunter2==")]
    [InlineData("secret set name|hunter2")]
    [InlineData("secret set|name=hunter2:x")]
    public async Task SecretInTheWrongPlaceIsNotRepeated(string commandLine)
    {
        string[] parts = commandLine.Split('|');
        Outcome outcome = await Command.RunAsync(
            [.. parts[0].Split(' '), parts[1]], new Dictionary<string, string> { ["BAD"] = "hunter2\r\nX-Evil: 1", ["MCPPROXYFAST_REMOTE_AUTH_STORE"] = "/no/such/store" });

        Assert.Equal((2, ""), (outcome.ExitCode, outcome.Output));
        Assert.DoesNotContain("hunter2", outcome.Errors, StringComparison.Ordinal);
        Assert.Contains(parts[0].Split(' ')[^1] is "name" or "set" ? "stdin" : parts[0].Split(' ')[^1], outcome.Errors, StringComparison.Ordinal);
    }

    /// <summary>As settings in JSON have it, one string for the flag and its value, and as curl takes it.</summary>
    [Theory]
    [InlineData("--header Authorization: Bearer hunter2", "unknown flag --header; use --remote-forward-headers NAME=VALUE")]
    [InlineData("--header=Authorization: Bearer hunter2", "unknown flag --header; use --remote-forward-headers NAME=VALUE")]
    [InlineData("-HAuthorization: Bearer hunter2", "unknown flag -HAuthorization; flags are written --like-this")]
    [InlineData("--remote-forward-headers X-Key=hunter2", "--remote-forward-headers and its value are one argument; write them as two, or as --remote-")]
    [InlineData("--remote-auth-bearer-token hunter2", "--remote-auth-bearer-token and its value are one argument")]
    public async Task SecretThatIsJoinedToItsFlagIsNotRepeated(string argument, string expected)
    {
        Outcome outcome = await Command.RunAsync(["stdio", "name", "--target-uri", "http://localhost", argument]);

        Assert.Equal((2, ""), (outcome.ExitCode, outcome.Output));
        Assert.Contains(expected, outcome.Errors, StringComparison.Ordinal);
        Assert.DoesNotContain("hunter2", outcome.Errors, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("--target-uri", "http://user:hunter2@localhost")]
    [InlineData("--target-uri", "htp://localhost/mcp?key=hunter2")]
    [InlineData("--target-uri", "localhost/mcp?key=hunter2")]
    [InlineData("--target-uri", "htp://user:hunter2@localhost/mcp")]
    [InlineData("--target-uri", "htp://localhost/mcp#key=hunter2")]
    [InlineData("--target-uri", "?key=hunter2@localhost")]
    [InlineData("--oidc-jwks-url", "htp://localhost/keys?key=hunter2")]
    [InlineData("--oidc-introspection-url", "htp://localhost/introspect?key=hunter2")]
    [InlineData("--remote-auth-token-url", "htp://localhost/token?key=hunter2")]
    public async Task SecretInAUrlIsNotRepeatedInTheComplaint(string flag, string url)
    {
        Outcome outcome = await Command.RunAsync(["proxy", "name", "--target-uri", "http://localhost", "--oidc-issuer", "https://a.example", flag, url]);

        Assert.Equal((2, ""), (outcome.ExitCode, outcome.Output));
        Assert.Contains(flag, outcome.Errors, StringComparison.Ordinal);
        Assert.DoesNotContain("hunter2", outcome.Errors, StringComparison.Ordinal);
    }
}
