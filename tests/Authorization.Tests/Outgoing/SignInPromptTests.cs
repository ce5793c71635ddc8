using System.Collections.Concurrent;
using System.Text.Json.Nodes;
using McpProxyFast.Authorization.Tests.Outgoing.Support;
using McpProxyFast.Credentials;
using Microsoft.AspNetCore.Http;
using Xunit;

namespace McpProxyFast.Authorization.Tests.Outgoing;

/// <summary>A host learns of a sign-in that needs a person by an event, not by reading a log.</summary>
public sealed class SignInPromptTests
{
    private static readonly TimeSpan SignInTimeout = TimeSpan.FromHours(1);

    [Fact]
    public async Task ALinkToOpenReachesTheObserverWithItsEnd()
    {
        await using Rig rig = await Rig.StartAsync();
        var host = new Host();
        await using UpstreamCredentials source = Source(rig, Rig.Policy with { SignInTimeout = SignInTimeout }, host);

        await source.StartAsync(CancellationToken.None);

        SignInPrompt prompt = Assert.Single(host.Prompts);
        Assert.Equal(rig.Browser.LastUrl, prompt.Link);
        Assert.Equal((rig.Server.Target, null, false), (prompt.Target, prompt.UserCode, prompt.BrowserOpened));
        Assert.Equal(rig.Clock.GetUtcNow() + SignInTimeout, prompt.ExpiresAt);
    }

    [Fact]
    public async Task ACodeToEnterReachesTheObserverWithItsEnd()
    {
        await using Rig rig = await Rig.StartAsync();
        var host = new Host();
        DateTimeOffset begunAt = rig.Clock.GetUtcNow();
        await using UpstreamCredentials source = Source(rig, Rig.Policy with { Grant = new OAuthGrant.DeviceCode(), SignInTimeout = SignInTimeout }, host);
        rig.Server.Overrides["/device"] = http => AnswerAsync(http, $"{rig.Server.Origin}/activate", expiresIn: 60);

        await SignInAsync(rig, source, host);

        SignInPrompt prompt = Assert.Single(host.Prompts);
        Assert.Equal((new Uri($"{rig.Server.Origin}/activate"), "ABCD-EFGH"), (prompt.Link, prompt.UserCode));
        Assert.Equal(begunAt + TimeSpan.FromSeconds(60), prompt.ExpiresAt);
    }

    [Fact]
    public async Task ACodeThatOutlivesTheSignInEndsWithIt()
    {
        await using Rig rig = await Rig.StartAsync();
        var host = new Host();
        DateTimeOffset begunAt = rig.Clock.GetUtcNow();
        await using UpstreamCredentials source = Source(rig, Rig.Policy with { Grant = new OAuthGrant.DeviceCode(), SignInTimeout = SignInTimeout }, host);
        rig.Server.Overrides["/device"] = http => AnswerAsync(http, $"{rig.Server.Origin}/activate", expiresIn: 7200);

        await SignInAsync(rig, source, host);

        Assert.Equal(begunAt + SignInTimeout, Assert.Single(host.Prompts).ExpiresAt);
    }

    [Theory]
    [InlineData("javascript:alert(1)")]
    [InlineData("http://login.example/activate")]
    [InlineData("not a URL")]
    public async Task AnAddressThatNobodyShouldOpenIsShownToNobody(string link)
    {
        await using Rig rig = await Rig.StartAsync();
        var host = new Host();
        await using UpstreamCredentials source = Source(rig, Rig.Policy with { Grant = new OAuthGrant.DeviceCode() }, host);
        rig.Server.Overrides["/device"] = http => AnswerAsync(http, link, expiresIn: 60);

        InvalidOperationException refused = await Assert.ThrowsAsync<InvalidOperationException>(() => source.StartAsync(CancellationToken.None));

        Assert.Contains("is not an https URL", refused.Message, StringComparison.Ordinal);
        Assert.Empty(host.Prompts);
        Assert.DoesNotContain(rig.Browser.Lines, line => line.Contains("asks for a sign-in", StringComparison.Ordinal));
    }

    [Fact]
    public async Task AnObserverThatThrowsDoesNotEndTheSignIn()
    {
        await using Rig rig = await Rig.StartAsync();
        await using UpstreamCredentials source = Source(rig, Rig.Policy, new Host { Fault = new FormatException("s3cret") });

        await source.StartAsync(CancellationToken.None);

        Assert.NotNull(source.Current);
        Assert.Single(rig.Browser.Lines, line => line.Contains("The host program's observer threw System.FormatException", StringComparison.Ordinal));
        Assert.DoesNotContain(rig.Browser.Lines, line => line.Contains("s3cret", StringComparison.Ordinal));
    }

    private static UpstreamCredentials Source(Rig rig, OutgoingPolicy policy, IProxyObserver observer) =>
        UpstreamCredentials.For(policy, rig.Server.Target, rig.Clock, rig.Browser, trustAnchors: null, observer);

    /// <summary>Starts the source and, once the code has been shown, lets the time pass that it waits between two questions for the token.</summary>
    private static async Task SignInAsync(Rig rig, UpstreamCredentials source, Host host)
    {
        Task starting = source.StartAsync(CancellationToken.None);
        await Patience.UntilAsync(() => !host.Prompts.IsEmpty || starting.IsCompleted);
        await rig.Clock.PassPausesAsync(until: starting);
    }

    private static Task AnswerAsync(HttpContext http, string link, int expiresIn) => http.Response.WriteAsJsonAsync(new JsonObject
    {
        ["device_code"] = "device",
        ["user_code"] = "ABCD-EFGH",
        ["verification_uri"] = link,
        ["expires_in"] = expiresIn,
        ["interval"] = 5,
    });

    private sealed class Host : IProxyObserver
    {
        public ConcurrentQueue<SignInPrompt> Prompts { get; } = new();

        public Exception? Fault { get; init; }

        public void OnExchangeEnded(in ExchangeReport report)
        {
        }

        public void OnSignInNeeded(in SignInPrompt prompt)
        {
            Prompts.Enqueue(prompt);
            if (Fault is not null)
            {
                throw Fault;
            }
        }
    }
}
