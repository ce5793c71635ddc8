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
    private SignInServer _server = null!;

    public async Task InitializeAsync() => _server = await SignInServer.StartAsync(TimeProvider.System);

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

    [Fact]
    public async Task ThreeProxiesStartedAtOnceOpenOneBrowser()
    {
        await using Command first = Start(Opening);
        await using Command second = Start(Opening);
        await using Command third = Start(Opening);

        Uri[] proxies = [await AddressAsync(first), await AddressAsync(second), await AddressAsync(third)];
        Assert.All(await AskThroughAsync(proxies), answer => Assert.Equal("ok", answer));

        Assert.Single(_server.Authorizations);
        Assert.Single(_server.Registrations);
        Assert.Single(_server.TokenRequests);
    }

    [Fact]
    public async Task AWindowOfAnotherTargetIsWaitedFor()
    {
        await using SignInServer other = await SignInServer.StartAsync(TimeProvider.System);
        (Task opened, Action goOn) = HoldTheNext("/authorize");
        await using Command first = Start(Opening);
        await opened;

        await using Command second = Command.Start(
            ["proxy", "name", "--target-uri", other.Target.OriginalString, .. Store, "--remote-auth", "--remote-auth-callback-port", "0"], Opening);
        await second.ErrorLineAsync("a sign-in for another target is open in the browser");
        Assert.Empty(other.Authorizations);
        goOn();

        Assert.All(await AskThroughAsync([await AddressAsync(first), await AddressAsync(second)]), answer => Assert.Equal("ok", answer));
        Assert.Single(other.Authorizations);
    }

    [Fact]
    public async Task AProcessThatIsKilledWhileItRenewsLeavesNoRefreshTokenThatIsShownTwice()
    {
        await SignInAsync();
        await using Command first = Start();
        Uri proxy = await AddressAsync(first);
        (Task arrived, Action goOn) = HoldTheNext("/token");
        _server.RevokeAll();
        Task<string> asked = _http.GetStringAsync(proxy);
        await arrived;

        await first.SignalAsync("KILL");
        goOn();
        await Assert.ThrowsAsync<HttpRequestException>(() => asked);
        await using Command second = Start(Opening);
        Assert.Equal("ok", await _http.GetStringAsync(await AddressAsync(second)));

        Assert.Equal((0, 1), (_server.Reuses, Renewals));
        Assert.Equal(2, _server.Authorizations.Count); // the answer died with the process
    }

    [Fact]
    public async Task AProcessThatIsStoppedWhileItRenewsIsWaitedFor()
    {
        await SignInAsync();
        await using Command first = Start();
        await using Command second = Start();
        Uri[] proxies = [await AddressAsync(first), await AddressAsync(second)];
        (Task arrived, Action goOn) = HoldTheNext("/token");
        _server.RevokeAll();
        Task<string> asked = _http.GetStringAsync(proxies[0]);
        await arrived;

        await first.SignalAsync("STOP");
        goOn();
        Task<string> waiting = _http.GetStringAsync(proxies[1]);
        await Patience.UntilAsync(() => _server.BadTokens >= 2); // the other process has been refused too
        await first.SignalAsync("CONT");

        Assert.Equal(["ok", "ok"], [await asked, await waiting]);
        Assert.Equal((0, 1), (_server.Reuses, Renewals));
        Assert.Single(_server.Authorizations);
    }

    [Fact]
    public async Task AProcessThatTakesATokenOverWhileItLooksForTheServerDoesNotRenewIt()
    {
        await SignInAsync();
        await using Command first = Start();
        await using Command second = Start();
        Uri[] proxies = [await AddressAsync(first), await AddressAsync(second)];
        (Task arrived, Action goOn) = HoldTheNext("/.well-known/oauth-protected-resource/mcp");
        _server.RevokeAll();
        List<Task<string>> asked = [_http.GetStringAsync(proxies[1])];
        await arrived;
        Assert.Equal("ok", await _http.GetStringAsync(proxies[0]));

        await Patience.UntilAsync(() =>
        {
            asked.Add(_http.GetStringAsync(proxies[1]));
            return asked.Exists(each => each.IsCompleted); // it was sent with the new token
        });
        goOn();

        Assert.All(await Task.WhenAll(asked), answer => Assert.Equal("ok", answer));
        Assert.Equal((0, 1), (_server.Reuses, Renewals));
    }

    [Fact]
    public async Task ALogoutBesideTwoProxiesEndsWhatTheySend()
    {
        await SignInAsync();
        await using Command first = Start();
        await using Command second = Start();
        Uri[] proxies = [await AddressAsync(first), await AddressAsync(second)];
        Assert.All(await AskThroughAsync(proxies), answer => Assert.Equal("ok", answer));

        Assert.Equal(0, (await Command.RunAsync(["logout", .. TargetAndStore])).ExitCode);
        await first.ErrorLineAsync("its token is no longer sent");
        await second.ErrorLineAsync("its token is no longer sent");

        Assert.Single(_server.Revoked);
    }

    private static Dictionary<string, string> Opening => new() { ["BROWSER"] = "curl --silent --location" };

    /// <summary>The next request for a path is taken by the server and answered when it is told to go on.</summary>
    private (Task Arrived, Action GoOn) HoldTheNext(string path)
    {
        var arrived = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var goOn = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        _server.Overrides[path] = async http =>
        {
            _server.Overrides.Clear();
            if (http.Request.HasFormContentType)
            {
                await http.Request.ReadFormAsync(); // it is here whole, whatever becomes of the connection
            }

            arrived.SetResult();
            await goOn.Task;
            await _server.AnswerProperlyAsync(http);
        };
        return (arrived.Task, goOn.SetResult);
    }

    private int Renewals => _server.TokenRequests.Count(request => request["grant_type"] == "refresh_token");

    private string[] TargetAndStore => ["--target-uri", _server.Target.OriginalString, .. Store];

    private string[] Store => ["--remote-auth-store", _folder.File("credentials")];

    private async Task SignInAsync()
    {
        var environment = new Dictionary<string, string> { ["BROWSER"] = "curl --silent --location" };
        Outcome login = await Command.RunAsync(["login", .. TargetAndStore, "--remote-auth-callback-port", "0"], environment);
        Assert.Equal(0, login.ExitCode);
    }

    private Command Start() => Command.Start(["proxy", "name", .. TargetAndStore, "--remote-auth", "--remote-auth-skip-browser"]);

    /// <summary>Starts a proxy that may open a browser.</summary>
    private Command Start(Dictionary<string, string> browser) =>
        Command.Start(["proxy", "name", .. TargetAndStore, "--remote-auth", "--remote-auth-callback-port", "0"], browser);

    private static async Task<Uri> AddressAsync(Command proxy)
    {
        string line = await proxy.LineAsync("on port");
        return new Uri($"http://127.0.0.1:{line.Split("on port ")[1].Split(' ')[0]}/mcp");
    }

    private Task<string[]> AskThroughAsync(Uri[] proxies) =>
        Task.WhenAll(Enumerable.Range(0, ClientsOfEach * proxies.Length).Select(client => _http.GetStringAsync(proxies[client % proxies.Length])));
}
