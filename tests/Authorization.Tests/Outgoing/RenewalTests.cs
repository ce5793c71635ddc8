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

        await LiveADayAsync(rig, (proxy, rig.Source));
    }

    [Fact]
    public async Task ADayOfTwoProxiesOnOneStoreLosesNothingAndAsksOncePerPeriod()
    {
        using var folder = new TemporaryFolder();
        await using Rig rig = await Rig.StartAsync();
        OAuthPolicy policy = Rig.Policy with { Store = new CredentialStoreFile(folder.File("store")) };
        ForwardingProxy first = await rig.ProxyAsync(policy);
        UpstreamCredentials firstSource = rig.Source;
        await rig.AskAsync(first);
        ForwardingProxy second = await rig.ProxyAsync(policy);

        await LiveADayAsync(rig, (first, firstSource), (second, rig.Source));
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
        rig.Clock.Advance(TimeSpan.FromHours(2));
        await Patience.UntilAsync(() => rig.Browser.Lines.Any(line => line.Contains("a new sign-in is needed", StringComparison.Ordinal)));

        Assert.Equal(200, (await rig.AskAsync(proxy)).Status);
        Assert.Equal(["authorization_code", "refresh_token", "authorization_code"], rig.Server.TokenRequests.Select(request => request["grant_type"]));
    }

    [Fact]
    public async Task ALostGrantWithNobodyThereEndsIn503AndTheLogSaysWhereToSignIn()
    {
        await using Rig rig = await Rig.StartAsync();
        ForwardingProxy proxy = await rig.ProxyAsync();
        await rig.AskAsync(proxy);
        Uri? first = rig.Browser.LastUrl;
        rig.Browser.IsAttended = false;
        rig.Server.LoseGrants();
        rig.Clock.Advance(TimeSpan.FromHours(2));

        Task<HttpResponseMessage> asked = rig.SendAsync(proxy);
        await Patience.UntilAsync(() => rig.Browser.LastUrl != first);
        await rig.Clock.AwaitedAsync(OAuthCredentials.MaxWait);
        rig.Clock.Advance(OAuthCredentials.MaxWait);
        using HttpResponseMessage answer = await asked;
        JsonNode error = JsonNode.Parse(await answer.Content.ReadAsStringAsync())!;

        Assert.Equal((503, TimeSpan.FromSeconds(5)), ((int)answer.StatusCode, answer.Headers.RetryAfter?.Delta));
        Assert.Equal(("a-7", "sign-in-pending"), ((string?)error["id"], (string?)error["error"]!["data"]!["reason"]));
        Assert.Contains("waits until a person signs in; the address to open is in the proxy's log", (string?)error["error"]!["message"], StringComparison.Ordinal);
        Assert.Contains(rig.Browser.Lines, line => line.StartsWith($"{rig.Browser.LastUrl}", StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("0.001")]
    [InlineData("1")]
    public async Task ALifetimeOfAnInstantDoesNotLeadToATokenRequestAMoment(string expiresIn)
    {
        await using Rig rig = await Rig.StartAsync();
        rig.Server.EditTokens = tokens => tokens["expires_in"] = JsonNode.Parse(expiresIn);
        ForwardingProxy proxy = await rig.ProxyAsync();
        await rig.AskAsync(proxy);

        for (int i = 0; i < 50; i++)
        {
            rig.Clock.Advance(TimeSpan.FromMilliseconds(100));
            Assert.Equal(200, (await rig.AskAsync(proxy)).Status);
        }

        Assert.Single(rig.Server.TokenRequests);
    }

    [Fact]
    public async Task AClientThatTheServerHasForgottenIsRegisteredAgainWhenItCannotRenew()
    {
        await using Rig rig = await Rig.StartAsync();
        ForwardingProxy proxy = await rig.ProxyAsync();
        await rig.AskAsync(proxy);
        rig.Server.Overrides["/token"] = async http =>
        {
            rig.Server.Overrides.Clear();
            http.Response.StatusCode = 401;
            await http.Response.WriteAsJsonAsync(new JsonObject { ["error"] = "invalid_client" });
        };
        rig.Clock.Advance(TimeSpan.FromHours(2));

        Assert.Equal(200, (await rig.AskAsync(proxy)).Status);
        Assert.Equal(2, rig.Server.Registrations.Count);
        Assert.Equal(["client-1", "client-2"], rig.Server.Authorizations.Select(authorize => authorize["client_id"]));
    }

    [Fact]
    public async Task ARenewalThatIsUnderWayAtTheEndIsFinishedAndKept()
    {
        using var folder = new TemporaryFolder();
        await using Rig rig = await Rig.StartAsync();
        OAuthPolicy policy = Rig.Policy with { Store = new CredentialStoreFile(folder.File("store")) };
        await rig.AskAsync(await rig.ProxyAsync(policy));
        var arrived = new TaskCompletionSource();
        var goOn = new TaskCompletionSource();
        rig.Server.Overrides["/token"] = async http =>
        {
            arrived.SetResult();
            await goOn.Task;
            await rig.Server.AnswerProperlyAsync(http);
        };
        rig.Clock.Advance(Period);
        await arrived.Task;

        Task ending = rig.DisposeProxiesAsync();
        goOn.SetResult();
        await ending;
        rig.Server.Overrides.Clear();

        Assert.Equal(200, (await rig.AskAsync(await rig.ProxyAsync(policy))).Status);
        Assert.Equal((2, 0, 0), (rig.Server.TokenRequests.Count, rig.Server.Reuses, rig.Server.BadTokens));
        Assert.Single(rig.Server.Authorizations);
    }

    [Fact]
    public async Task AnEndedTokenThatCannotBeRenewedForNowEndsIn503WithTheReason()
    {
        await using Rig rig = await Rig.StartAsync();
        ForwardingProxy proxy = await rig.ProxyAsync();
        await rig.AskAsync(proxy);
        rig.Server.Overrides["/token"] = http =>
        {
            http.Response.StatusCode = 503;
            return Task.CompletedTask;
        };
        rig.Clock.Advance(TimeSpan.FromHours(2));

        using HttpResponseMessage answer = await rig.SendAsync(proxy);

        Assert.Equal((503, TimeSpan.FromSeconds(1)), ((int)answer.StatusCode, answer.Headers.RetryAfter?.Delta));
        Assert.Contains("/token answered 503 with something that is not an OAuth answer", await answer.Content.ReadAsStringAsync(), StringComparison.Ordinal);
        Assert.Single(rig.Server.Authorizations);
    }

    [Fact]
    public async Task APersonIsAskedAgainOnlyWhenARequestNeedsIt()
    {
        await using Rig rig = await Rig.StartAsync();
        rig.Server.EditTokens = tokens => tokens.Remove("refresh_token");
        ForwardingProxy proxy = await rig.ProxyAsync();
        await rig.AskAsync(proxy);
        rig.Clock.Advance(TimeSpan.FromDays(1));
        Assert.Single(rig.Server.Authorizations);

        Assert.Equal(200, (await rig.AskAsync(proxy)).Status);

        Assert.Equal(2, rig.Server.Authorizations.Count);
    }

    [Fact]
    public async Task ARenewalWithAnAnswerThatCannotBeIsTriedAgainWithoutARequest()
    {
        await using Rig rig = await Rig.StartAsync();
        await rig.AskAsync(await rig.ProxyAsync());
        CredentialLine? before = rig.Source.Current;
        rig.Server.Overrides["/token"] = http => http.Response.WriteAsync(new string(' ', 2 * 1024 * 1024));
        rig.Clock.Advance(Period);
        await Patience.UntilAsync(() => rig.Browser.Lines.Any(line => line.Contains("where a short answer was expected", StringComparison.Ordinal)));

        rig.Server.Overrides.Clear();
        await Patience.UntilAsync(() =>
        {
            rig.Clock.Pass(TimeSpan.FromSeconds(1));
            return rig.Source.Current is { } line && !ReferenceEquals(line, before);
        });
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
        await Patience.UntilAsync(() => rig.Browser.Lines.Any(line => line.Contains("something that is not an OAuth answer", StringComparison.Ordinal)));
        Assert.Equal(200, (await rig.AskAsync(proxy)).Status);
        Assert.Equal(1, failures);

        rig.Server.Overrides.Clear();
        await Patience.UntilAsync(() =>
        {
            rig.Clock.Pass(TimeSpan.FromSeconds(1)); // more than once: the pause may begin after the line that was waited for
            return !ReferenceEquals(rig.Source.Current, before);
        });

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
    public async Task ALifetimeLongerThanATimerCanWaitIsNoFault()
    {
        await using Rig rig = await Rig.StartAsync();
        rig.Server.EditTokens = tokens => tokens["expires_in"] = TimeSpan.FromDays(300).TotalSeconds;
        await using UpstreamCredentials source = UpstreamCredentials.For(Rig.Policy, rig.Server.Target, TimeProvider.System, rig.Browser);

        await source.StartAsync(CancellationToken.None);

        Assert.NotNull(source.Current);
    }

    [Fact]
    public async Task ALongLivedTokenIsRenewedAheadOfItsEndToo()
    {
        await using Rig rig = await Rig.StartAsync();
        rig.Server.Lifetime = TimeSpan.FromDays(90);
        ForwardingProxy proxy = await rig.ProxyAsync();
        await rig.AskAsync(proxy);
        CredentialLine? before = rig.Source.Current;

        for (int day = 1; day <= 89; day++)
        {
            rig.Clock.Advance(TimeSpan.FromDays(1));
            Assert.Equal(200, (await rig.AskAsync(proxy)).Status);
        }

        rig.Clock.Advance(TimeSpan.FromDays(1) - TimeSpan.FromMinutes(2));
        await Patience.UntilAsync(() => !ReferenceEquals(rig.Source.Current, before));
        Assert.Equal(2, rig.Server.TokenRequests.Count);
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

    // Steps of five minutes; with each, every client asks once.
    private static async Task LiveADayAsync(Rig rig, params (ForwardingProxy Proxy, UpstreamCredentials Source)[] parts)
    {
        await rig.AskAsync(parts[0].Proxy);
        int periods = 0;
        for (TimeSpan sinceIssue = Step, day = TimeSpan.Zero; day < TimeSpan.FromDays(1); day += Step, sinceIssue += Step)
        {
            CredentialLine?[] before = [.. parts.Select(part => part.Source.Current)];
            rig.Clock.Advance(Step);
            (int Status, string Body)[] answers = await Task.WhenAll(Enumerable.Range(0, Clients).Select(client => rig.AskAsync(parts[client % parts.Length].Proxy)));
            Assert.All(answers, answer => Assert.Equal((200, "ok"), answer));
            if (sinceIssue >= Period)
            {
                await Patience.UntilAsync(() => !parts.Where((part, index) => ReferenceEquals(part.Source.Current, before[index])).Any());
                sinceIssue = TimeSpan.Zero;
                periods++;
            }

            Assert.Equal(periods, rig.Server.TokenRequests.Count(request => request["grant_type"] == "refresh_token"));
        }

        Assert.Equal((26, 0, 0), (periods, rig.Server.Reuses, rig.Server.BadTokens));
        Assert.Single(rig.Server.Authorizations);
    }
}
