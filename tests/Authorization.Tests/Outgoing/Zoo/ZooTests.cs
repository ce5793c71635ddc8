using McpProxyFast.Authorization.Tests.Outgoing.Support;
using McpProxyFast.Credentials;
using Microsoft.Extensions.Time.Testing;
using Xunit;

namespace McpProxyFast.Authorization.Tests.Outgoing.Zoo;

/// <summary>One way through every recorded provider: discovery, sign-in, renewal, refusal of the refresh token, step-up, restart.</summary>
public sealed class ZooTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public static TheoryData<string> Names => new(Providers.All.Select(provider => provider.Name));

    public static TheoryData<string> NamesOfThoseThatRefuseCodesInTheirOwnWay =>
        new(Providers.All.Where(provider => provider.CodeRefusal is not null).Select(provider => provider.Name));

    public void Dispose() => _folder.Dispose();

    [Theory]
    [MemberData(nameof(Names))]
    public async Task AProviderIsSignedInAtRenewedRefusedSteppedUpAndFoundAgain(string name)
    {
        Provider provider = Providers.All.Single(row => row.Name == name);
        var clock = new FakeTimeProvider(DateTimeOffset.UtcNow);
        await using ZooServer server = await ZooServer.StartAsync(provider, clock);
        using var browser = new Browser { Road = url => new Uri($"{server.LoginOrigin}/authorize{url.Query}") };
        OAuthPolicy policy = provider.Setup(Rig.Policy with { Store = new CredentialStoreFile(_folder.File("credentials")) }, server);

        await using (ForwardingProxy proxy = await StartAsync(policy, server, clock, browser))
        {
            Assert.Equal((200, "ok"), await AskAsync(proxy));
            Assert.Single(server.Authorizations);

            // The access token is over; what renews it is not.
            server.RevokeAccessTokens();
            clock.Advance(TimeSpan.FromHours(2));
            Assert.Equal((200, "ok"), await AskAsync(proxy));
            bool isRenewable = provider.GivesRefreshToken(server.Authorizations.First());
            Assert.Equal(isRenewable ? 1 : 2, server.Authorizations.Count);
            Assert.Equal(isRenewable, server.Renewals > 0);

            // Both are over: a person is asked, once.
            server.LoseGrants();
            clock.Advance(TimeSpan.FromHours(2));
            Assert.Equal((200, "ok"), await AskAsync(proxy));
            Assert.Equal(isRenewable ? 2 : 3, server.Authorizations.Count);
            Assert.Equal(isRenewable ? 1 : 0, server.RefusedRefreshes);

            // More rights are wanted: they are asked for beside those that there were.
            server.WantsMore = true;
            string before = server.Authorizations.Last().GetValueOrDefault(provider.ScopeParameter) ?? "";
            Assert.Equal((200, "ok"), await AskAsync(proxy));
            Assert.Equal(isRenewable ? 3 : 4, server.Authorizations.Count);
            string[] asked = server.Authorizations.Last()[provider.ScopeParameter].Split(provider.ScopeSeparator);
            string[] askedBefore = before.Split(provider.ScopeSeparator, StringSplitOptions.RemoveEmptyEntries);
            Assert.Subset(asked.ToHashSet(), askedBefore.Append(ZooServer.StepUpScope).ToHashSet());
        }

        // Another process finds it in the store, and asks nobody.
        int signIns = server.Authorizations.Count;
        await using (ForwardingProxy restarted = await StartAsync(policy, server, clock, browser))
        {
            Assert.Equal((200, "ok"), await AskAsync(restarted));
        }

        Assert.Equal(signIns, server.Authorizations.Count);
        Assert.Empty(server.Complaints);
    }

    /// <summary>A code can be refused for many reasons, which the provider names in its own way. A person needs these words, and another attempt.</summary>
    [Theory]
    [MemberData(nameof(NamesOfThoseThatRefuseCodesInTheirOwnWay))]
    public async Task ACodeThatAProviderRefusesIsSaidInItsWordsAndTheNextSignInGoesWell(string name)
    {
        Provider provider = Providers.All.Single(row => row.Name == name);
        var clock = new FakeTimeProvider(DateTimeOffset.UtcNow);
        await using ZooServer server = await ZooServer.StartAsync(provider, clock);
        using var browser = new Browser { Road = url => new Uri($"{server.LoginOrigin}/authorize{url.Query}") };
        OAuthPolicy policy = provider.Setup(Rig.Policy with { Store = new CredentialStoreFile(_folder.File("credentials")) }, server);
        server.RefusesCodes = true;

        await using ForwardingProxy proxy = await StartAsync(policy, server, clock, browser);
        (int status, string body) = await AskAsync(proxy);
        server.RefusesCodes = false;
        clock.Advance(TimeSpan.FromHours(2));
        (int statusLater, _) = await AskAsync(proxy);

        Assert.Equal((503, 200), (status, statusLater));
        Assert.Contains(provider.CodeRefusal!.Value.Words, body, StringComparison.Ordinal);
        Assert.Empty(server.Complaints);
    }

    [Fact]
    public void EveryRowHasANameOfItsOwn() => Assert.Distinct(Providers.All.Select(provider => provider.Name));

    private static Task<ForwardingProxy> StartAsync(OAuthPolicy policy, ZooServer server, FakeTimeProvider clock, Browser browser)
    {
        UpstreamCredentials source = UpstreamCredentials.For(policy, server.Target, clock, browser);
        return ForwardingProxy.StartAsync(server.Target, source, browser);
    }

    private static async Task<(int Status, string Body)> AskAsync(ForwardingProxy proxy)
    {
        using var http = new HttpClient();
        using HttpResponseMessage response = await http.PostAsync(new Uri(proxy.Address, "/mcp"), new StringContent("""{"jsonrpc":"2.0","id":1}"""));
        return ((int)response.StatusCode, await response.Content.ReadAsStringAsync());
    }
}
