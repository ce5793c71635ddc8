using McpProxyFast.Authorization.Tests.Outgoing.Support;
using McpProxyFast.Credentials;
using Microsoft.AspNetCore.Http;
using Xunit;

namespace McpProxyFast.Authorization.Tests.Outgoing;

/// <summary>Renewing, signing in and stepping up wait only for what they need: a person who does not come stops nobody.</summary>
public sealed class TurnTests
{
    private static readonly OAuthPolicy s_policy = Rig.Policy with { SignInTimeout = TimeSpan.FromHours(1) };

    [Fact]
    public async Task ATokenIsRenewedAheadOfItsEndWhileAPersonIsAskedForMoreScopes()
    {
        await using Rig rig = await Rig.StartAsync();
        ForwardingProxy proxy = await AwaitingAStepUpAsync(rig);

        for (int minutes = 0; minutes < 30; minutes += 5)
        {
            rig.Clock.Advance(TimeSpan.FromMinutes(5));
            Assert.Equal(200, (await rig.AskAsync(proxy)).Status);
        }

        Assert.Equal(0, rig.Server.Reuses);
    }

    [Fact]
    public async Task ATokenThatHasEndedIsRenewedWhileAPersonIsAskedForMoreScopes()
    {
        await using Rig rig = await Rig.StartAsync();
        ForwardingProxy proxy = await AwaitingAStepUpAsync(rig);

        rig.Clock.Advance(TimeSpan.FromMinutes(20));

        Assert.Equal(200, (await rig.AskAsync(proxy)).Status);
        Assert.Single(rig.Server.Authorizations);
    }

    [Fact]
    public async Task ATokenThatIsRefusedIsRenewedWhileAPersonIsAskedForMoreScopes()
    {
        await using Rig rig = await Rig.StartAsync();
        ForwardingProxy proxy = await AwaitingAStepUpAsync(rig);

        rig.Server.RevokeAll();

        Assert.Equal(200, (await rig.AskAsync(proxy)).Status);
        Assert.Single(rig.Server.Authorizations);
    }

    [Fact]
    public async Task ASignInThatFailedPutsNoRenewalOff()
    {
        await using Rig rig = await Rig.StartAsync();
        ForwardingProxy proxy = await AwaitingAStepUpAsync(rig);
        rig.Clock.Advance(TimeSpan.FromHours(1));
        await Patience.UntilAsync(() => rig.Browser.Lines.Any(line => line.Contains("Nobody completed the sign-in", StringComparison.Ordinal)));

        rig.Server.RevokeAll();
        Assert.Equal(200, (await rig.AskAsync(proxy)).Status);
        Assert.Single(rig.Server.Authorizations);
    }

    [Fact]
    public async Task APersonWhoComesLateStillGetsTheScopesThoughTheTokenWasRenewedMeanwhile()
    {
        await using Rig rig = await Rig.StartAsync();
        ForwardingProxy proxy = await AwaitingAStepUpAsync(rig);
        rig.Clock.Advance(TimeSpan.FromMinutes(20));
        Assert.Equal(200, (await rig.AskAsync(proxy)).Status);
        CredentialLine? renewed = rig.Source.Current;

        using var http = new HttpClient();
        await http.GetAsync(rig.Browser.LastUrl);
        await Patience.UntilAsync(() => !ReferenceEquals(rig.Source.Current, renewed));

        rig.Server.RequiredScope = "write";
        Assert.Equal(200, (await rig.AskAsync(proxy)).Status);
        Assert.Equal(2, rig.Server.Authorizations.Count);
    }

    [Fact]
    public async Task ARenewalThatTakesItsServerLongIsNotCalledASignIn()
    {
        await using Rig rig = await Rig.StartAsync();
        ForwardingProxy proxy = await rig.ProxyAsync();
        await rig.AskAsync(proxy);
        var goOn = new TaskCompletionSource();
        var arrived = new TaskCompletionSource();
        rig.Server.Overrides["/token"] = async http =>
        {
            arrived.SetResult();
            await goOn.Task;
            await rig.Server.AnswerProperlyAsync(http);
        };
        rig.Server.RevokeAll();

        Task<(int Status, string Body)> asked = rig.AskAsync(proxy);
        await arrived.Task;
        await rig.Clock.AwaitedAsync(OAuthCredentials.MaxWait);
        rig.Clock.Advance(OAuthCredentials.MaxWait);
        (int status, string body) = await asked;
        goOn.SetResult();

        Assert.Equal(503, status);
        Assert.Contains("is being renewed, which takes longer", body, StringComparison.Ordinal);
    }

    /// <summary>A proxy with a token of ten minutes that is asked for more scopes, and nobody is there.</summary>
    private static async Task<ForwardingProxy> AwaitingAStepUpAsync(Rig rig)
    {
        rig.Server.Lifetime = TimeSpan.FromMinutes(10);
        ForwardingProxy proxy = await rig.ProxyAsync(s_policy);
        await rig.AskAsync(proxy);
        Uri? first = rig.Browser.LastUrl;
        rig.Browser.IsAttended = false;
        rig.Server.RequiredScope = "write";
        Task<HttpResponseMessage> asked = rig.SendAsync(proxy);
        await Patience.UntilAsync(() => rig.Browser.LastUrl != first);
        rig.Server.RequiredScope = null;
        await rig.Clock.AwaitedAsync(OAuthCredentials.MaxWait);
        rig.Clock.Advance(OAuthCredentials.MaxWait);
        using HttpResponseMessage answer = await asked;
        Assert.Equal(StatusCodes.Status503ServiceUnavailable, (int)answer.StatusCode);
        return proxy;
    }
}
