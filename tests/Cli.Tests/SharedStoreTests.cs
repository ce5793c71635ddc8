using McpProxyFast.Authorization.Tests.Outgoing.Support;
using McpProxyFast.Cli.Tests.Support;
using Xunit;

namespace McpProxyFast.Cli.Tests;

/// <summary>Two processes on one store, at a server whose refresh tokens rotate and end the grant when one is used twice.</summary>
public sealed class SharedStoreTests : IAsyncLifetime, IDisposable
{
    private const int ClientsOfEach = 8;

    private readonly TemporaryFolder _folder = new();
    private readonly HttpClient _http = new();
    private ScriptedServer _server = null!;

    public async Task InitializeAsync() => _server = await ScriptedServer.StartAsync(TimeProvider.System);

    public async Task DisposeAsync() => await _server.DisposeAsync();

    public void Dispose()
    {
        _http.Dispose();
        _folder.Dispose();
    }

    [Fact]
    public async Task ARefusedTokenIsRenewedOnceForBothProcesses()
    {
        await SignInAsync();
        await using Command first = Start();
        await using Command second = Start();
        Uri[] proxies = [await AddressAsync(first), await AddressAsync(second)];

        for (int renewals = 1; renewals <= 10; renewals++)
        {
            _server.RevokeAll();
            Assert.All(await AskThroughAsync(proxies), answer => Assert.Equal("ok", answer));
            Assert.Equal(renewals, Renewals);
        }

        Assert.Equal(0, _server.Reuses);
        Assert.Single(_server.Authorizations);
    }

    [Fact]
    public async Task TokensThatEndAreRenewedAheadOfTheirEndWithoutUsingOneTwice()
    {
        _server.Lifetime = TimeSpan.FromSeconds(4);
        await SignInAsync();
        await using Command first = Start();
        await using Command second = Start();
        Uri[] proxies = [await AddressAsync(first), await AddressAsync(second)];

        while (Renewals < 3)
        {
            Assert.All(await AskThroughAsync(proxies), answer => Assert.Equal("ok", answer));
        }

        Assert.Equal(0, _server.Reuses);
        Assert.Single(_server.Authorizations);
    }

    private int Renewals => _server.TokenRequests.Count(request => request["grant_type"] == "refresh_token");

    private string[] TargetAndStore => ["--target-uri", _server.Target.OriginalString, "--remote-auth-store", _folder.File("credentials")];

    private async Task SignInAsync()
    {
        var environment = new Dictionary<string, string> { ["BROWSER"] = "curl --silent --location" };
        Outcome login = await Command.RunAsync(["login", .. TargetAndStore, "--remote-auth-callback-port", "0"], environment);
        Assert.Equal(0, login.ExitCode);
    }

    private Command Start() => Command.Start(["proxy", "name", .. TargetAndStore, "--remote-auth", "--remote-auth-skip-browser"]);

    private static async Task<Uri> AddressAsync(Command proxy)
    {
        string line = await proxy.LineAsync("on port");
        return new Uri($"http://127.0.0.1:{line.Split("on port ")[1].Split(' ')[0]}/mcp");
    }

    private Task<string[]> AskThroughAsync(Uri[] proxies) =>
        Task.WhenAll(Enumerable.Range(0, ClientsOfEach * proxies.Length).Select(client => _http.GetStringAsync(proxies[client % proxies.Length])));
}
