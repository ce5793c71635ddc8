using System.Text.Json.Nodes;
using McpProxyFast.Authorization.Tests.Outgoing.Support;
using McpProxyFast.Credentials;
using Microsoft.AspNetCore.Http;
using Xunit;

namespace McpProxyFast.Authorization.Tests.Outgoing;

public class RenewalTests
{
    private const int Clients = 64;
    private static readonly TimeSpan Step = TimeSpan.FromMinutes(5);

    // A token of an hour is renewed five minutes and some jitter before its end, so in a day of five-minute steps at each 55th minute.
    private static readonly TimeSpan Period = TimeSpan.FromMinutes(55);

    [Fact]
    public async Task ADayOfRenewalsUnderManyClientsLosesNothingAndAsksOncePerPeriod()
    {
        await using Rig rig = await Rig.StartAsync();
        ForwardingProxy proxy = await rig.ProxyAsync();
        await rig.AskAsync(proxy);
        int periods = 0;

        for (TimeSpan sinceIssue = Step, day = TimeSpan.Zero; day < TimeSpan.FromDays(1); day += Step, sinceIssue += Step)
        {
            CredentialLine? before = rig.Source.Current;
            rig.Clock.Advance(Step);
            (int Status, string Body)[] answers = await Task.WhenAll(Enumerable.Range(0, Clients).Select(_ => rig.AskAsync(proxy)));
            Assert.All(answers, answer => Assert.Equal(200, answer.Status));
            if (sinceIssue >= Period)
            {
                await Rig.UntilAsync(() => !ReferenceEquals(rig.Source.Current, before));
                sinceIssue = TimeSpan.Zero;
                periods++;
            }
        }

        Assert.Equal(periods, rig.Server.TokenRequests.Count(request => request["grant_type"] == "refresh_token"));
        Assert.Equal((0, 0), (rig.Server.Reuses, rig.Server.BadTokens));
    }

    [Fact]
    public async Task TwoProcessesOnOneStoreRenewOnceBetweenThem()
    {
        using var folder = new TemporaryFolder();
        await using Rig rig = await Rig.StartAsync();
        OutgoingPolicy policy = Rig.Policy with { StorePath = folder.File("store") };
        ForwardingProxy first = await rig.ProxyAsync(policy);
        CredentialSource firstSource = rig.Source;
        await rig.AskAsync(first);
        ForwardingProxy second = await rig.ProxyAsync(policy);
        CredentialSource secondSource = rig.Source;

        for (int period = 1; period <= 24; period++)
        {
            (CredentialLine? one, CredentialLine? other) = (firstSource.Current, secondSource.Current);
            rig.Clock.Advance(Period);
            await Rig.UntilAsync(() => !ReferenceEquals(firstSource.Current, one) && !ReferenceEquals(secondSource.Current, other));
            Assert.Equal((200, 200), ((await rig.AskAsync(first)).Status, (await rig.AskAsync(second)).Status));
            Assert.Equal(period, rig.Server.TokenRequests.Count(request => request["grant_type"] == "refresh_token"));
        }

        Assert.Equal((0, 0), (rig.Server.Reuses, rig.Server.BadTokens));
        Assert.Single(rig.Server.Authorizations);
    }

    [Fact]
    public async Task AnEndedTokenIsRenewedOnceForAllWhoWait()
    {
        await using Rig rig = await Rig.StartAsync();
        ForwardingProxy proxy = await rig.ProxyAsync();
        await rig.AskAsync(proxy);
        rig.Clock.Advance(TimeSpan.FromHours(2));

        (int Status, string Body)[] answers = await Task.WhenAll(Enumerable.Range(0, Clients).Select(_ => rig.AskAsync(proxy)));

        Assert.All(answers, answer => Assert.Equal(200, answer.Status));
        Assert.Equal(2, rig.Server.TokenRequests.Count);
    }

    [Fact]
    public async Task AServerWithoutRotationKeepsItsRefreshToken()
    {
        await using Rig rig = await Rig.StartAsync();
        ForwardingProxy proxy = await rig.ProxyAsync();
        await rig.AskAsync(proxy);
        rig.Server.EditTokens = tokens => tokens.Remove("refresh_token");
        rig.Clock.Advance(TimeSpan.FromHours(2));

        Assert.Equal(200, (await rig.AskAsync(proxy)).Status);
        Assert.Single(rig.Server.Authorizations);
    }

    [Fact]
    public async Task ALostGrantLeadsToANewSignInWithTheNextRequest()
    {
        await using Rig rig = await Rig.StartAsync();
        ForwardingProxy proxy = await rig.ProxyAsync();
        await rig.AskAsync(proxy);
        rig.Server.LoseGrants();
        rig.Server.RevokeAll();
        rig.Clock.Advance(TimeSpan.FromHours(2));
        await Rig.UntilAsync(() => rig.Server.TokenRequests.Count == 2);

        (int status, _) = await rig.AskAsync(proxy);
        while (status == 503)
        {
            // The failed renewal ahead of time pauses the next attempt for half a minute.
            rig.Clock.Advance(TimeSpan.FromSeconds(30));
            (status, _) = await rig.AskAsync(proxy);
        }

        Assert.Equal(200, status);
        Assert.Equal(2, rig.Server.Authorizations.Count);
    }

    [Theory]
    [InlineData(503, "<html>maintenance</html>")]
    [InlineData(429, "{\"error\":\"slow_down\"}")]
    [InlineData(200, "<html>sign in to the hotel's network</html>")]
    public async Task ATransientFailureKeepsTheTokenAndIsTriedAgain(int status, string page)
    {
        await using Rig rig = await Rig.StartAsync();
        ForwardingProxy proxy = await rig.ProxyAsync();
        await rig.AskAsync(proxy);
        CredentialLine? before = rig.Source.Current;
        int failures = 0;
        rig.Server.Overrides["/token"] = http =>
        {
            failures++;
            http.Response.StatusCode = status;
            return http.Response.WriteAsync(page);
        };
        rig.Clock.Advance(Period);
        await Rig.UntilAsync(() => rig.Browser.Lines.Any(line => line.Contains("something that is not an OAuth answer", StringComparison.Ordinal)));
        Assert.Equal(200, (await rig.AskAsync(proxy)).Status);
        Assert.Equal(1, failures);

        rig.Server.Overrides.Clear();
        rig.Clock.Advance(TimeSpan.FromSeconds(1));
        await Rig.UntilAsync(() => !ReferenceEquals(rig.Source.Current, before));

        Assert.Equal(200, (await rig.AskAsync(proxy)).Status);
    }

    [Theory]
    [InlineData("null")]
    [InlineData("0")]
    [InlineData("-5")]
    [InlineData("\"soon\"")]
    [InlineData("{}")]
    [InlineData("1e300")]
    [InlineData("\"3600\"")]
    public async Task AnyLifetimeLeadsToATokenThatIsUsed(string expiresIn)
    {
        await using Rig rig = await Rig.StartAsync();
        rig.Server.EditTokens = tokens => tokens["expires_in"] = JsonNode.Parse(expiresIn);
        ForwardingProxy proxy = await rig.ProxyAsync();

        Assert.Equal(200, (await rig.AskAsync(proxy)).Status);
        Assert.Equal(200, (await rig.AskAsync(proxy)).Status);
        Assert.Single(rig.Server.TokenRequests);
    }

    [Fact]
    public async Task ATokenWithoutALifetimeIsRenewedWhenItIsRefused()
    {
        await using Rig rig = await Rig.StartAsync();
        rig.Server.EditTokens = tokens => tokens.Remove("expires_in");
        ForwardingProxy proxy = await rig.ProxyAsync();
        await rig.AskAsync(proxy);
        rig.Clock.Advance(TimeSpan.FromHours(2));

        Assert.Equal(200, (await rig.AskAsync(proxy)).Status);
        Assert.Equal(2, rig.Server.TokenRequests.Count);
    }
}
