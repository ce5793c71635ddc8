using System.Net;
using System.Net.Sockets;
using McpProxyFast.Authorization.Tests.Outgoing.Support;
using McpProxyFast.Cli.Tests.Support;
using Microsoft.AspNetCore.Http;
using Xunit;

namespace McpProxyFast.Cli.Tests;

/// <summary>The verbs login, logout and status against a real authorization server and a store of their own.</summary>
public sealed class SignInTests : IAsyncLifetime, IDisposable
{
    private const string ClientSecret = "hunter2";

    /// <summary>Signs in without a person, at the server that the target names.</summary>
    private static readonly string[] Machine = ["--remote-auth-grant", "client_credentials", "--remote-auth-client-id", "robot"];

    private readonly TemporaryFolder _folder = new();
    private SignInServer _server = null!;

    public async Task InitializeAsync() => _server = await SignInServer.StartAsync(TimeProvider.System);

    public async Task DisposeAsync() => await _server.DisposeAsync();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task LoginStoresACredentialThatStatusLists()
    {
        Outcome login = await RunAsync("login", Machine);
        Outcome status = await RunAsync("status");

        Assert.Equal((0, ""), (login.ExitCode, login.Errors));
        Assert.Equal(0, status.ExitCode);
        Assert.StartsWith($"{_server.Target}: issuer {_server.Origin}, client robot, ", status.Output, StringComparison.Ordinal);
        Assert.Equal($"mcpproxyfast: signed in at {status.Output}", login.Output);
    }

    [Fact]
    public async Task ProxyUsesWhatLoginHasStored()
    {
        await RunAsync("login", Machine);
        await using Command proxy = Command.Start(["proxy", "name", .. TargetAndStore, .. Machine], Environment());
        string port = (await proxy.LineAsync("on port")).Split("on port ")[1].Split(' ')[0];
        using var client = new HttpClient();

        string answer = await client.GetStringAsync(new Uri($"http://127.0.0.1:{port}/mcp"));

        Assert.Equal("ok", answer);
        Assert.Single(_server.TokenRequests);
    }

    [Fact]
    public async Task LogoutRevokesAndDropsTheCredential()
    {
        await RunAsync("login", Machine);

        Outcome logout = await RunAsync("logout", Machine);

        Assert.Equal((0, $"mcpproxyfast: signed out of {_server.Target}\n", ""), (logout.ExitCode, logout.Output, logout.Errors));
        Assert.Single(_server.Revoked);
        Assert.Contains("no credential is stored", (await RunAsync("status")).Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task LogoutWithoutACredentialSaysSo()
    {
        Outcome logout = await RunAsync("logout", Machine);

        Assert.Equal((0, $"mcpproxyfast: no credential is stored for {_server.Target} with these flags\n"), (logout.ExitCode, logout.Output));
    }

    [Fact]
    public async Task LoginOpensTheBrowserAndWaitsForItsReturn()
    {
        var environment = new Dictionary<string, string> { ["BROWSER"] = "curl --silent --location" };

        Outcome login = await Command.RunAsync(["login", .. TargetAndStore, "--remote-auth-callback-port", "0"], environment);

        Assert.Equal(0, login.ExitCode);
        Assert.Contains(", renewable", login.Output, StringComparison.Ordinal);
        string[] lines = Lines(login.Errors);
        Assert.Matches("warn .* asks for a sign-in. It must be complete by [0-9:]+ UTC. Opening browser; ", lines[^2]);
        Assert.StartsWith($"{_server.Origin}/authorize?", lines[^1], StringComparison.Ordinal); // alone on its line
        Assert.Equal("S256", Assert.Single(_server.Authorizations)["code_challenge_method"]);
    }

    [Fact]
    public async Task BrowserIsStartedWithoutSecretsInItsEnvironment()
    {
        string seen = _folder.File("environment");
        string script = _folder.Write("browser", $"env > {seen}\nexec curl --silent --location \"$1\"\n");
        const string StoreKey = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";
        var environment = new Dictionary<string, string>
        {
            ["BROWSER"] = $"sh {script}",
            ["MCPPROXYFAST_STORE_KEY"] = StoreKey,
            ["MCPPROXYFAST_REMOTE_AUTH_CLIENT_SECRET"] = ClientSecret,
            ["TOOLHIVE_REMOTE_OAUTH_CLIENT_SECRET"] = "t00lhive",
            ["CI_KEY_OF_THE_STORE"] = StoreKey,
            ["UNRELATED"] = "kept",
        };

        Outcome login = await Command.RunAsync(
            ["login", .. TargetAndStore, "--remote-auth-callback-port", "0", "--remote-auth-client-id", "me"], environment);

        Assert.Equal(0, login.ExitCode);
        string text = await File.ReadAllTextAsync(seen);
        Assert.Contains("UNRELATED=kept", text, StringComparison.Ordinal);
        Assert.All(["MCPPROXYFAST_", "TOOLHIVE_", StoreKey, ClientSecret], secret => Assert.DoesNotContain(secret, text, StringComparison.Ordinal));
    }

    [Fact]
    public async Task NoVerbPrintsASecretEvenAtDebugLevel()
    {
        Dictionary<string, string> environment = Environment();
        environment["MCPPROXYFAST_DEBUG"] = "true";
        Outcome[] outcomes =
        [
            await Command.RunAsync(["login", .. TargetAndStore, .. Machine], environment),
            await Command.RunAsync(["status", .. Store], environment),
            await Command.RunAsync(["logout", .. TargetAndStore, .. Machine], environment),
        ];

        Assert.All(outcomes, outcome =>
        {
            Assert.Equal(0, outcome.ExitCode);
            Assert.All([.. _server.Secrets, ClientSecret], secret => Assert.DoesNotContain(secret, outcome.Output + outcome.Errors, StringComparison.Ordinal));
        });
    }

    [Fact]
    public async Task RefusedLoginEndsWithCodeOneAndTheServersReason()
    {
        RefuseClient();

        Outcome login = await RunAsync("login", Machine);

        Assert.Equal((1, ""), (login.ExitCode, login.Output));
        Assert.Contains("invalid_client", Assert.Single(Lines(login.Errors)), StringComparison.Ordinal);
    }

    [Fact]
    public async Task ProxyWhoseSignInIsRefusedEndsWithCodeOneAndTheServersReason()
    {
        RefuseClient();

        Outcome proxy = await RunAsync("proxy", ["name", .. Machine]);

        Assert.Equal(1, proxy.ExitCode);
        Assert.Contains("mcpproxyfast: ", Lines(proxy.Errors)[^1], StringComparison.Ordinal);
        Assert.Contains("invalid_client", Lines(proxy.Errors)[^1], StringComparison.Ordinal);
    }

    [Fact]
    public async Task ProxyWhoseFirstSignInIsRefusedInTheBrowserGoesOnAndTellsTheClientWhichFlagHelps()
    {
        _server.EditCallback = back =>
        {
            back.Remove("code");
            back["error"] = "invalid_target";
        };
        var environment = new Dictionary<string, string> { ["BROWSER"] = "curl --silent --location" };
        await using Command proxy = Command.Start(
            ["proxy", "name", .. TargetAndStore, "--remote-auth", "--remote-auth-callback-port", "0"], environment);
        string port = (await proxy.LineAsync("on port")).Split("on port ")[1].Split(' ')[0];
        using var client = new HttpClient();

        using HttpResponseMessage answer = await client.PostAsync(new Uri($"http://127.0.0.1:{port}/mcp"), new StringContent("{}"));
        await proxy.ErrorLineAsync("refused the sign-in");
        await proxy.SignalAsync("TERM");
        Outcome outcome = await proxy.EndAsync();

        Assert.Equal(HttpStatusCode.ServiceUnavailable, answer.StatusCode);
        Assert.Contains("set --remote-auth-resource to none.", await answer.Content.ReadAsStringAsync(), StringComparison.Ordinal);
        Assert.Contains("set --remote-auth-resource to none.", outcome.Errors, StringComparison.Ordinal);
        Assert.Equal(0, outcome.ExitCode);
        Assert.Single(_server.Authorizations);
    }

    [Fact]
    public async Task BusyPortIsSaidBeforeAnybodyIsAskedToSignIn()
    {
        using var occupant = new TcpListener(IPAddress.Loopback, 0);
        occupant.Start();
        int port = ((IPEndPoint)occupant.LocalEndpoint).Port;

        Outcome proxy = await Command.RunAsync(["proxy", "name", .. TargetAndStore, "--remote-auth", "--port", $"{port}"]);

        Assert.Equal(1, proxy.ExitCode);
        Assert.Contains($"--port {port} is in use", Assert.Single(Lines(proxy.Errors)), StringComparison.Ordinal);
        Assert.Empty(_server.Registrations);
        Assert.Empty(_server.Authorizations);
    }

    [Fact]
    public async Task FlagThatSignsInNowhereIsNamed()
    {
        await using Command proxy = Command.Start(["proxy", "name", "--target-uri", _server.Target.OriginalString, "--remote-auth-scopes", "a"]);
        await proxy.LineAsync("on port");
        await proxy.SignalAsync("TERM");

        Outcome outcome = await proxy.EndAsync();

        Assert.Equal(0, outcome.ExitCode);
        Assert.Contains("--remote-auth-scopes has no effect: add --remote-auth", outcome.Errors, StringComparison.Ordinal);
    }

    [Fact]
    public async Task StoreMayBeAFolder()
    {
        string[] folder = ["--remote-auth-store", _folder.Path];

        Outcome login = await Command.RunAsync(["login", "--target-uri", _server.Target.OriginalString, .. folder, .. Machine], Environment());
        Outcome status = await Command.RunAsync(["status", .. folder], Environment());

        Assert.Equal((0, $"mcpproxyfast: signed in at {status.Output}"), (login.ExitCode, login.Output));
        Assert.True(File.Exists(_folder.File("credentials")));
    }

    [Fact]
    public async Task TargetThatCannotBeReachedEndsWithCodeOne()
    {
        using var bound = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        bound.Bind(new IPEndPoint(IPAddress.Loopback, 0));

        Outcome login = await Command.RunAsync(["login", "--target-uri", $"http://{bound.LocalEndPoint}/mcp", .. Store, .. Machine], Environment());

        Assert.Equal((1, ""), (login.ExitCode, login.Output));
        Assert.StartsWith("mcpproxyfast: ", login.Errors, StringComparison.Ordinal);
        Assert.DoesNotContain("   at ", login.Errors, StringComparison.Ordinal);
    }

    [Fact]
    public async Task TargetThatAsksForNothingNeedsNoLogin()
    {
        _server.Overrides["/mcp"] = http => http.Response.WriteAsync("ok");
        _server.Overrides["/.well-known/oauth-protected-resource/mcp"] = http =>
        {
            http.Response.StatusCode = 404;
            return Task.CompletedTask;
        };

        Outcome login = await RunAsync("login", Machine);

        Assert.Equal((0, $"mcpproxyfast: {_server.Target} asks for no credential; there is nothing to store\n"), (login.ExitCode, login.Output));
    }

    [Fact]
    public async Task CheckOfLoginSignsInNowhere()
    {
        Outcome check = await RunAsync("login", [.. Machine, "--check"]);

        Assert.Equal(0, check.ExitCode);
        Assert.Contains("\"remote-auth-client-id\": \"robot\"", check.Output, StringComparison.Ordinal);
        Assert.Empty(_server.TokenRequests);
    }

    private string[] Store => ["--remote-auth-store", _folder.File("credentials")];

    private string[] TargetAndStore => ["--target-uri", _server.Target.OriginalString, .. Store];

    private static string[] Lines(string text) => text.Split('\n', StringSplitOptions.RemoveEmptyEntries);

    private void RefuseClient() => _server.Overrides["/token"] = async http =>
    {
        http.Response.StatusCode = 401;
        await http.Response.WriteAsJsonAsync(new { error = "invalid_client" });
    };

    private static Dictionary<string, string> Environment() => new() { ["MCPPROXYFAST_REMOTE_AUTH_CLIENT_SECRET"] = ClientSecret };

    private Task<Outcome> RunAsync(string verb, params string[] flags) =>
        Command.RunAsync([verb, .. verb == "status" ? Store : TargetAndStore, .. flags], Environment());
}
