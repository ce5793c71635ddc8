using McpProxyFast.Authorization.Tests.Outgoing.Support;
using McpProxyFast.Credentials;
using McpProxyFast.OAuth;
using McpProxyFast.OAuth.Store;
using Microsoft.AspNetCore.Http;
using Xunit;

namespace McpProxyFast.Authorization.Tests.Outgoing;

/// <summary>A person is asked by one process at a time, and not without end.</summary>
public sealed class WindowTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    private OAuthPolicy Policy => Rig.Policy with { Store = new CredentialStoreFile(_folder.File("store")) };

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task ProxiesThatAreStartedAtOnceForOneTargetAskOnce()
    {
        await using Rig rig = await Rig.StartAsync();
        rig.Browser.IsAttended = false;
        UpstreamCredentials[] sources =
            [.. Enumerable.Range(0, 3).Select(_ => UpstreamCredentials.For(Policy, rig.Server.Target, rig.Clock, rig.Browser))];
        Task starting = Task.WhenAll(sources.Select(source => source.StartAsync(CancellationToken.None)));
        await Patience.UntilAsync(() => rig.Browser.Lines.Count(line => line.Contains("This process waits and uses the same result", StringComparison.Ordinal)) == 2);
        await Patience.UntilAsync(() => rig.Browser.LastUrl is not null);

        using var http = new HttpClient();
        await http.GetAsync(rig.Browser.LastUrl);
        await starting;

        Assert.All(sources, source => Assert.NotNull(source.Current));
        Assert.Single(rig.Browser.Lines, IsLink);
        Assert.Single(rig.Server.Registrations);
        Assert.Single(rig.Server.TokenRequests);
        await Task.WhenAll(sources.Select(source => source.DisposeAsync().AsTask()));
    }

    [Fact]
    public async Task TheNextProxyAsksWhereTheFirstOneHasBeenStopped()
    {
        await using Rig rig = await Rig.StartAsync();
        rig.Browser.IsAttended = false;
        UpstreamCredentials first = UpstreamCredentials.For(Policy, rig.Server.Target, rig.Clock, rig.Browser);
        _ = first.StartAsync(CancellationToken.None);
        await Patience.UntilAsync(() => rig.Browser.LastUrl is not null);
        await using UpstreamCredentials second = UpstreamCredentials.For(Policy, rig.Server.Target, rig.Clock, rig.Browser);
        Task starting = second.StartAsync(CancellationToken.None);
        await Patience.UntilAsync(() => rig.Browser.Lines.Any(line => line.Contains("This process waits and uses the same result", StringComparison.Ordinal)));

        rig.Browser.IsAttended = true;
        await first.DisposeAsync();
        await starting;

        Assert.NotNull(second.Current);
        Assert.Equal(2, rig.Browser.Lines.Count(IsLink));
    }

    [Fact]
    public async Task ALoginTakesOverTheSignInThatIsUnderWay()
    {
        await using Rig rig = await Rig.StartAsync();
        rig.Browser.IsAttended = false;
        await using UpstreamCredentials source = UpstreamCredentials.For(Policy, rig.Server.Target, rig.Clock, rig.Browser);
        Task starting = source.StartAsync(CancellationToken.None);
        await Patience.UntilAsync(() => rig.Browser.LastUrl is not null);
        Task<StoredCredential?> login = StoredCredentials.LoginAsync(Policy, rig.Server.Target, rig.Browser);
        await Patience.UntilAsync(() => rig.Browser.Lines.Any(line => line.Contains("This process waits and uses the same result", StringComparison.Ordinal)));

        using var http = new HttpClient();
        await http.GetAsync(rig.Browser.LastUrl);

        Assert.Equal(rig.Server.Origin, (await login)?.Issuer);
        await starting;
        Assert.Single(rig.Server.Authorizations);
    }

    [Fact]
    public async Task ThereIsOneWindowForAllTargetsOfAStore()
    {
        var turns = new StoreLocks(_folder.File("store"));
        bool isSaid = false;
        FileStream? first = await turns.TakeWindowAsync(() => Assert.Fail("nobody has it"), CancellationToken.None);

        Task<FileStream?> second = new StoreLocks(_folder.File("store")).TakeWindowAsync(() => isSaid = true, CancellationToken.None);
        await Patience.UntilAsync(() => isSaid);
        Assert.False(second.IsCompleted);
        await first!.DisposeAsync();

        await (await second)!.DisposeAsync();
    }

    [Fact]
    public async Task AFirstSignInThatFailsIsToldToWhoWaitsAndOpensNoSecondWindow()
    {
        await using Rig rig = await Rig.StartAsync();
        rig.Browser.IsAttended = false;
        OAuthPolicy policy = Rig.Policy with { SignInTimeout = TimeSpan.FromSeconds(40) };
        await using UpstreamCredentials source = UpstreamCredentials.For(policy, rig.Server.Target, rig.Clock, rig.Browser);
        Task starting = source.StartAsync(CancellationToken.None);
        await Patience.UntilAsync(() => rig.Browser.LastUrl is not null);
        var request = new UpstreamRequest("POST", rig.Server.Target);
        Task<CredentialResult> waiting = source.ObtainAsync(request, CancellationToken.None).AsTask();

        rig.Clock.Advance(TimeSpan.FromSeconds(40));
        await starting; // the proxy lives on
        CredentialResult told = await waiting;
        CredentialResult next = await source.ObtainAsync(request, CancellationToken.None);

        Assert.All([told, next], result =>
        {
            Assert.Equal(CredentialResultKind.Unavailable, result.Kind);
            Assert.Contains("Nobody completed the sign-in", result.Message, StringComparison.Ordinal);
        });
        Assert.Single(rig.Browser.Lines, IsLink);

        rig.Browser.IsAttended = true;
        rig.Clock.Advance(TimeSpan.FromSeconds(30));
        Assert.Equal(CredentialResultKind.Ready, (await source.ObtainAsync(request, CancellationToken.None)).Kind);
    }

    [Fact]
    public async Task ATargetThatAlwaysWantsAnotherScopeHasAPersonAskedSoOftenOnlyAndThatIsSaidOnce()
    {
        await using Rig rig = await Rig.StartAsync();
        int requests = 0;
        rig.Server.Overrides["/mcp"] = http =>
        {
            http.Response.StatusCode = 403;
            http.Response.Headers.WWWAuthenticate = $"Bearer error=\"insufficient_scope\", scope=\"scope-{++requests}\"";
            return Task.CompletedTask;
        };
        ForwardingProxy proxy = await rig.ProxyAsync(Policy);

        for (int i = 0; i < 15; i++)
        {
            Assert.Equal(403, (await rig.AskAsync(proxy)).Status);
            rig.Clock.Advance(TimeSpan.FromMinutes(1));
        }

        Assert.Equal(AuthorizationClient.MaxSignInsAnHour, rig.Server.Authorizations.Count);
        Assert.Equal(AuthorizationClient.MaxSignInsAnHour, rig.Server.Registrations.Count);
        Assert.Single(rig.Browser.Lines, line => line.Contains("has been asked to sign in 6 times within an hour", StringComparison.Ordinal));

        // Not another process either, but a person who wants to; and an hour later anybody.
        await rig.DisposeProxiesAsync();
        Assert.Equal(403, (await rig.AskAsync(await rig.ProxyAsync(Policy))).Status);
        Assert.Equal(AuthorizationClient.MaxSignInsAnHour, rig.Server.Authorizations.Count);
        await StoredCredentials.LoginAsync(Policy with { Server = OAuthServer.FromIssuer(rig.Server.Origin) }, rig.Server.Target, rig.Browser);
        Assert.Equal(AuthorizationClient.MaxSignInsAnHour + 1, rig.Server.Authorizations.Count);
        rig.Clock.Advance(TimeSpan.FromHours(1));
        await rig.AskAsync(await rig.ProxyAsync(Policy));
        Assert.True(rig.Server.Authorizations.Count > AuthorizationClient.MaxSignInsAnHour + 1);
    }

    private static bool IsLink(string line) => line.Contains("/authorize?", StringComparison.Ordinal);
}
