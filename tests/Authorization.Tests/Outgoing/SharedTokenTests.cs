using System.Runtime.Versioning;
using McpProxyFast.Authorization.Tests.Outgoing.Support;
using McpProxyFast.Credentials;
using McpProxyFast.OAuth.Store;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging.Abstractions;
using Xunit;

namespace McpProxyFast.Authorization.Tests.Outgoing;

/// <summary>Two on one store, at a server whose refresh tokens rotate: none is shown twice, whatever befalls clocks, disks, answers and processes.</summary>
public sealed class SharedTokenTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    private OAuthPolicy Policy => Rig.Policy with { Store = new CredentialStoreFile(_folder.File("store")) };

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task AClockThatIsSetBackShowsNoRefreshTokenTwice()
    {
        await using Rig rig = await Rig.StartAsync();
        ForwardingProxy first = await rig.ProxyAsync(Policy);
        await rig.AskAsync(first);
        ForwardingProxy second = await rig.ProxyAsync(Policy);
        await rig.AskAsync(second);

        rig.Clock.SetBack(TimeSpan.FromMinutes(10));
        rig.Server.RevokeAll();
        Assert.Equal(200, (await rig.AskAsync(second)).Status);
        Assert.Equal(200, (await rig.AskAsync(first)).Status);

        Assert.Equal((2, 0), (rig.Server.TokenRequests.Count, rig.Server.Reuses));
    }

    [Fact]
    public async Task AClockThatIsSetBackStretchesNoPause()
    {
        await using Rig rig = await Rig.StartAsync();
        ForwardingProxy proxy = await rig.ProxyAsync(Policy);
        await rig.AskAsync(proxy);
        rig.Server.Overrides["/token"] = http =>
        {
            http.Response.StatusCode = 503;
            return Task.CompletedTask;
        };
        rig.Server.RevokeAll();
        Assert.Equal(503, (await rig.AskAsync(proxy)).Status);

        rig.Server.Overrides.Clear();
        rig.Clock.SetBack(TimeSpan.FromHours(2));
        rig.Clock.Advance(TimeSpan.FromSeconds(1));

        Assert.Equal(200, (await rig.AskAsync(proxy)).Status);
    }

    [Fact]
    public async Task AClockThatIsSetBackPutsNoRenewalOff()
    {
        await using Rig rig = await Rig.StartAsync();
        await rig.AskAsync(await rig.ProxyAsync());
        rig.Clock.SetBack(TimeSpan.FromMinutes(10));

        rig.Clock.Advance(TimeSpan.FromMinutes(55));

        await Patience.UntilAsync(() => rig.Server.TokenRequests.Count == 2);
    }

    [Fact]
    public async Task AnAnswerThatComesLateIsWaitedFor()
    {
        await using Rig rig = await Rig.StartAsync();
        ForwardingProxy proxy = await rig.ProxyAsync(Policy);
        await rig.AskAsync(proxy);
        CredentialLine? before = rig.Source.Current;
        var arrived = new TaskCompletionSource();
        var goOn = new TaskCompletionSource();
        rig.Server.Overrides["/token"] = async http =>
        {
            arrived.TrySetResult();
            await goOn.Task;
            await rig.Server.AnswerProperlyAsync(http);
        };
        rig.Clock.Advance(TimeSpan.FromMinutes(55));
        await arrived.Task;

        rig.Clock.Advance(TimeSpan.FromSeconds(60));
        goOn.SetResult();
        await Patience.UntilAsync(() => !ReferenceEquals(rig.Source.Current, before));

        rig.Server.Overrides.Clear();
        Assert.Equal(200, (await rig.AskAsync(proxy)).Status);
        Assert.Equal((2, 0), (rig.Server.TokenRequests.Count, rig.Server.Reuses));
        Assert.Single(rig.Server.Authorizations);
    }

    [Theory]
    [InlineData(true, 1)]
    [InlineData(false, 2)]
    public async Task ARefreshTokenWhoseAnswerIsLostIsShownAgainOnlyToAServerThatLeavesThemAsTheyAre(bool isLasting, int authorizations)
    {
        await using Rig rig = await Rig.StartAsync();
        ForwardingProxy proxy = await rig.ProxyAsync(Policy);
        await rig.AskAsync(proxy);
        if (isLasting)
        {
            rig.Server.EditTokens = tokens => tokens.Remove("refresh_token");
            rig.Server.Overrides["/token"] = http => http.Response.WriteAsJsonAsync(new { access_token = "renewed", token_type = "Bearer", expires_in = 3600 });
            rig.Server.RevokeAll();
            Assert.Equal(503, (await rig.AskAsync(proxy)).Status); // nobody knows the token that was made up
            rig.Clock.Advance(TimeSpan.FromMinutes(6));
        }

        rig.Server.Overrides["/token"] = http =>
        {
            http.Abort();
            return Task.CompletedTask;
        };
        rig.Clock.Advance(TimeSpan.FromHours(2));
        Assert.Equal(503, (await rig.AskAsync(proxy)).Status);

        rig.Server.Overrides.Clear();
        rig.Clock.Advance(TimeSpan.FromMinutes(2));
        Assert.Equal(200, (await rig.AskAsync(proxy)).Status);

        Assert.Equal((authorizations, 0), (rig.Server.Authorizations.Count, rig.Server.Reuses));
    }

    [Fact]
    public async Task ARefreshTokenThatCouldNotBeSentIsSentLater()
    {
        await using Rig rig = await Rig.StartAsync();
        ForwardingProxy proxy = await rig.ProxyAsync(Policy);
        await rig.AskAsync(proxy);
        await rig.DisposeProxiesAsync();
        string store = _folder.File("store");
        using (var kept = new CredentialStore(store, key: null, rig.Browser))
        using (StoreLease lease = await kept.OpenAsync(CancellationToken.None))
        {
            string name = CredentialStore.KeyFor(Policy, new Uri(rig.Server.Origin));
            StoredEntry entry = lease.Find(name);
            lease.Put(name, entry with { Issued = entry.Issued! with { Server = entry.Issued.Server with { TokenEndpoint = "http://127.0.0.1:1/token" } } });
        }

        rig.Clock.Advance(TimeSpan.FromHours(2));
        ForwardingProxy next = await rig.ProxyAsync(Policy);
        for (int i = 0; i < 2; i++)
        {
            (int status, string body) = await rig.AskAsync(next);
            Assert.Equal(503, status);
            Assert.Contains("could not be reached", body, StringComparison.Ordinal);
            rig.Clock.Advance(TimeSpan.FromMinutes(5));
        }

        Assert.Single(rig.Server.Authorizations);
    }

    [Fact]
    public async Task WhatHasBeenShownIsKnownToTheNextWhoHasTheTurn()
    {
        var turns = new StoreLocks(_folder.File("store"));
        using (RenewalTurn turn = await turns.TakeRenewalAsync("0123456789", CancellationToken.None))
        {
            turn.Remember("first");
            turn.Remember("second");
            turn.Remember("third");
            turn.Forget("second");
        }

        using RenewalTurn next = await new StoreLocks(_folder.File("store")).TakeRenewalAsync("0123456789", CancellationToken.None);

        Assert.Equal((true, false, true, false), (next.WasShown("first"), next.WasShown("second"), next.WasShown("third"), next.WasShown("fourth")));
    }

    [Fact]
    [UnsupportedOSPlatform("windows")]
    public async Task OnAFullDiskNoRefreshTokenIsShownTwice()
    {
        await using Rig rig = await Rig.StartAsync();
        string folder = FullDisk.MakeFolder(_folder.Path);
        string alias = _folder.File("alias");
        Directory.CreateSymbolicLink(alias, folder);
        OAuthPolicy before = Rig.Policy with { Store = new CredentialStoreFile(Path.Combine(alias, "s")) };
        OAuthPolicy full = Rig.Policy with { Store = new CredentialStoreFile(Path.Combine(folder, "s")) };
        await rig.AskAsync(await rig.ProxyAsync(before));
        await rig.DisposeProxiesAsync();
        ForwardingProxy first = await rig.ProxyAsync(full);

        for (int renewals = 0; renewals < 3; renewals++)
        {
            rig.Server.RevokeAll();
            Assert.Equal(200, (await rig.AskAsync(first)).Status);
        }

        Assert.Single(rig.Server.Authorizations);
        Assert.Contains(rig.Browser.Lines, line => line.Contains("New credentials are kept in memory only", StringComparison.Ordinal));
        Assert.Equal(200, (await rig.AskAsync(await rig.ProxyAsync(full))).Status);
        Assert.Equal((2, 0), (rig.Server.Authorizations.Count, rig.Server.Reuses));
        Assert.Equal(200, (await rig.AskAsync(first)).Status);
    }

    [Fact]
    public async Task AfterALogoutNoTokenOfThatSignInGoesOut()
    {
        await using Rig rig = await Rig.StartAsync();
        rig.Server.EditMetadata = metadata => metadata.Remove("revocation_endpoint");
        ForwardingProxy proxy = await rig.ProxyAsync(Policy);
        await rig.AskAsync(proxy);
        rig.Browser.IsAttended = false;
        Assert.NotNull(rig.Source.Current);

        await StoredCredentials.LogoutAsync(Policy, new Uri(rig.Server.Origin), NullLogger.Instance);
        rig.Clock.Advance(StoreWatch.Period);
        await Patience.UntilAsync(() => rig.Source.Current is null);

        Assert.Contains(rig.Browser.Lines, line => line.Contains("its token is no longer sent", StringComparison.Ordinal));
        Assert.Single(rig.Server.TokenRequests);
    }

    [Fact]
    public async Task ALogoutDuringARenewalHoldsAndTheNewTokenIsRevoked()
    {
        await using Rig rig = await Rig.StartAsync();
        ForwardingProxy proxy = await rig.ProxyAsync(Policy);
        await rig.AskAsync(proxy);
        var arrived = new TaskCompletionSource();
        var goOn = new TaskCompletionSource();
        rig.Server.Overrides["/token"] = async http =>
        {
            arrived.TrySetResult();
            await goOn.Task;
            await rig.Server.AnswerProperlyAsync(http);
        };
        rig.Clock.Advance(TimeSpan.FromMinutes(55));
        await arrived.Task;

        Assert.True(await StoredCredentials.LogoutAsync(Policy, new Uri(rig.Server.Origin), NullLogger.Instance));
        goOn.SetResult();
        await Patience.UntilAsync(() => rig.Server.Revoked.Count == 2);

        Assert.Equal(2, rig.Server.Revoked.Distinct().Count());
        Assert.Empty(await StoredCredentials.ListAsync(Policy.Store!, NullLogger.Instance));
    }

    [Fact]
    public async Task WhatAnotherProcessHasRenewedIsUsedBeforeTheOldTokenIsRefused()
    {
        await using Rig rig = await Rig.StartAsync();
        ForwardingProxy first = await rig.ProxyAsync(Policy);
        UpstreamCredentials watching = rig.Source;
        await rig.AskAsync(first);
        ForwardingProxy second = await rig.ProxyAsync(Policy);
        await rig.AskAsync(second);
        CredentialLine? before = watching.Current;
        rig.Server.RevokeAll();
        await rig.AskAsync(second);
        int refused = rig.Server.BadTokens;

        rig.Clock.Advance(StoreWatch.Period);
        await Patience.UntilAsync(() => !ReferenceEquals(watching.Current, before));

        Assert.Equal(200, (await rig.AskAsync(first)).Status);
        Assert.Equal(refused, rig.Server.BadTokens);
    }
}
