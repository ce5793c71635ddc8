using System.Collections.Concurrent;
using System.Net;
using System.Text;
using McpProxyFast.Credentials;
using McpProxyFast.Outcomes;
using McpProxyFast.Wire.Tests.Support;
using Microsoft.Extensions.Time.Testing;

namespace McpProxyFast.Wire.Tests;

/// <summary>A request that is sent twice: nothing of its first sending reaches the second, and what is said of it is said of what is really sent.</summary>
public sealed class SecondSendingTests
{
    private const string Challenge = "HTTP/1.1 401 Unauthorized\r\nWWW-Authenticate: Bearer\r\nContent-Length: 0\r\n\r\n";
    private const string Redirect = "HTTP/1.1 307 Temporary Redirect\r\nLocation: /mcp/\r\nContent-Length: 0\r\n\r\n";
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(7);

    /// <summary>A body that came in two parts had a pump, which is over: nobody is slow but the upstream.</summary>
    [Theory, OverEvery]
    public async Task SecondSendingIsNotRefusedForThePumpOfTheFirst(Over over)
    {
        await using var host = new WireHost(
            over, options => options with { Limits = options.Limits with { BodyTimeout = Limit, MinBodyBytesPerSecond = 1_000 } }, new FakeTimeProvider());
        (RawPeer client, RawPeer upstream) = await host.BeginRequestAsync("POST /mcp HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\n\r\nhe", "\r\n\r\nhe");
        await client.SendAsync("llo");
        await upstream.ReadThroughAsync("llo");
        await upstream.SendAsync(Redirect);
        Assert.Equal("hello", (await upstream.ReadRequestAsync()).Body);

        Task<StrictMessage> answer = client.ReadResponseAsync();
        Pass(host, 4 * Limit);
        await upstream.TrySendAsync(Messages.Ok);

        Assert.Equal(200, (await answer).Status);
    }

    /// <summary>The first attempt's time is over with the first attempt: how long the second connection takes has a limit of its own.</summary>
    [Theory, OverOnly("A connect that takes long is a host's here.", Over.Pipes, Over.InlinePipes, Over.StreamPipes)]
    public async Task ResponseTimeoutOfTheFirstAttemptDoesNotEndTheSecond(Over over)
    {
        var second = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var isAsked = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        int asked = 0;
        await using var host = new WireHost(
            over,
            options => options with
            {
                Limits = options.Limits with { ResponseTimeout = Limit, ConnectTimeout = TimeSpan.FromHours(1) },
                ConnectUpstream = async cancel =>
                {
                    if (Interlocked.Increment(ref asked) > 1)
                    {
                        isAsked.TrySetResult();
                        await second.Task.WaitAsync(cancel);
                    }

                    return await options.ConnectUpstream!(cancel);
                },
            },
            new FakeTimeProvider());
        (RawPeer client, RawPeer upstream) = await host.ServeOneAsync();
        await client.SendAsync(Messages.Get);
        await upstream.ReadRequestAsync();
        upstream.Finish();
        await isAsked.Task.Soon();

        Task<StrictMessage> answer = client.ReadResponseAsync();
        Pass(host, 2 * Limit);
        second.SetResult();
        RawPeer fresh = await host.AcceptAsync();
        await fresh.ReadRequestAsync();
        await fresh.SendAsync(Messages.Ok);

        Assert.Equal("ok", (await answer).Body);
    }

    [Theory, OverEvery]
    public async Task RedirectOfOneMethodIsNotThatOfAnother(Over over)
    {
        await using var host = new WireHost(over);
        AnsweringUpstream upstream = AnsweringUpstream.Start(
            host, request => request.StartLine.StartsWith("POST /mcp ", StringComparison.Ordinal) ? Redirect : Messages.Ok);
        RawPeer client = await host.ConnectAsync();

        await client.SendAsync(Messages.Post);
        Assert.Equal("ok", (await client.ReadResponseAsync()).Body);
        await client.SendAsync(Messages.Get);
        Assert.Equal("ok", (await client.ReadResponseAsync()).Body);

        Assert.Equal(["POST /mcp", "POST /mcp/", "GET /mcp"], upstream.Requests.Select(static request => request.StartLine[..^" HTTP/1.1".Length]));
    }

    /// <summary>A credential that proves its request (RFC 9449) would else prove another one.</summary>
    [Theory, OverEvery]
    public async Task CredentialIsAskedForTheTargetOfARememberedRedirect(Over over)
    {
        await using var source = new ProvingSource();
        await using var host = new WireHost(over, credentials: source);
        AnsweringUpstream.Start(host, static request => request.StartLine.StartsWith("POST /mcp ", StringComparison.Ordinal) ? Redirect : Messages.Ok);
        RawPeer client = await host.ConnectAsync();
        for (int i = 0; i < 2; i++)
        {
            await client.SendAsync(Messages.Post);
            Assert.Equal("ok", (await client.ReadResponseAsync()).Body);
        }

        Assert.Equal(["POST /mcp", "POST /mcp/"], source.Obtained);
    }

    /// <summary>The head's bytes have gone back by then, and may be another's: what a challenge is about was noted before.</summary>
    [Theory, OverEvery]
    public async Task ChallengeIsAboutTheRequestAlsoWhereItIsHeldNoLonger(Over over)
    {
        await using var source = new ProvingSource();
        await using var host = new WireHost(over, options => options with { Limits = options.Limits with { ReplayWindowBytes = 0 } }, credentials: source);
        (RawPeer client, RawPeer upstream) = await host.SendAsync(Messages.Post);
        await upstream.SendAsync(Redirect);
        await upstream.ReadRequestAsync();
        await upstream.SendAsync(Messages.Ok);
        Assert.Equal("ok", (await client.ReadResponseAsync()).Body);

        await client.SendAsync("POST /mcp HTTP/1.1\r\nHost: h\r\nContent-Length: 4\r\n\r\nab");
        await upstream.ReadThroughAsync("\r\n\r\nab");
        await client.SendAsync("cd");
        await upstream.ReadThroughAsync("cd");
        await upstream.SendAsync(Challenge);

        Assert.Equal(401, (await client.ReadResponseAsync()).Status);
        Assert.Equal(["POST /mcp/"], source.Challenged);
    }

    /// <summary>The token lies in the head, as the target does.</summary>
    [Theory, OverEvery]
    public async Task ChallengeNamesTheCallerAlsoWhereTheRequestIsHeldNoLonger(Over over)
    {
        await using var source = new ProvingSource(isPerCaller: true);
        await using var host = new WireHost(over, options => options with { Limits = options.Limits with { ReplayWindowBytes = 0 } }, credentials: source);
        RawPeer client = await host.ConnectAsync();
        await client.SendAsync("POST /mcp?q=1 HTTP/1.1\r\nHost: h\r\nAuthorization: Bearer alice\r\nContent-Length: 4\r\n\r\nab");
        RawPeer upstream = await host.AcceptAsync();
        await upstream.ReadThroughAsync("\r\n\r\nab");
        await client.SendAsync("cd");
        await upstream.ReadThroughAsync("cd");
        await upstream.SendAsync(Challenge);

        Assert.Equal(401, (await client.ReadResponseAsync()).Status);
        Assert.Equal(["POST /mcp of alice"], source.Obtained);
        Assert.Equal(["POST /mcp of alice"], source.Challenged);
    }

    /// <summary>The same for what the client is told: else its own challenge would show it another client's bytes.</summary>
    [Theory, OverEvery]
    public async Task RefusalNamesWhatTheClientAskedForAlsoWhereItIsHeldNoLonger(Over over)
    {
        await using var source = new ProvingSource(CredentialResult.Refused(RefusalReason.SubjectRefused));
        await using var host = new WireHost(
            over,
            options => options with { Incoming = TokenPolicy.Custom(new ScriptedValidator()), Limits = options.Limits with { ReplayWindowBytes = 0 } },
            credentials: source);
        (RawPeer client, RawPeer upstream) = await host.BeginRequestAsync(
            "POST /mcp HTTP/1.1\r\nHost: here.example\r\nAuthorization: Bearer a\r\nContent-Length: 4\r\n\r\nab", "\r\n\r\nab");
        await client.SendAsync("cd");
        await upstream.ReadThroughAsync("cd");
        await upstream.SendAsync(Challenge);

        StrictMessage answer = await client.ReadResponseAsync();
        Assert.Equal(401, answer.Status);
        string challenge = Assert.Single(answer.Fields, static field => field.Name == "WWW-Authenticate").Value;
        Assert.Contains("resource_metadata=\"http://here.example/.well-known/oauth-protected-resource/mcp\"", challenge, StringComparison.Ordinal);
    }

    /// <summary>Moves the clock in heartbeats; what comes of it comes at once, or not at all.</summary>
    private static void Pass(WireHost host, TimeSpan time)
    {
        for (TimeSpan passed = TimeSpan.Zero; passed < time; passed += TimeSpan.FromMilliseconds(100))
        {
            host.Clock!.Advance(TimeSpan.FromMilliseconds(100));
        }
    }

    /// <summary>A line of its own for each request.</summary>
    /// <param name="afterChallenge">What comes of a challenge; null for nothing.</param>
    /// <param name="isPerCaller">Each caller has a credential of its own.</param>
    private sealed class ProvingSource(CredentialResult? afterChallenge = null, bool isPerCaller = false)
        : UpstreamCredentials(new CredentialScope(new Uri("http://up.test"), isForOrigin: true))
    {
        public override bool IsPerCaller => isPerCaller;

        public override CredentialLine? Current => null;

        public override bool ProvesEachRequest => true;

        /// <summary>For which requests lines were asked.</summary>
        public ConcurrentQueue<string> Obtained { get; } = new();

        /// <summary>Which requests were challenged.</summary>
        public ConcurrentQueue<string> Challenged { get; } = new();

        public override ValueTask<CredentialResult> ObtainAsync(UpstreamRequest request, CancellationToken cancellationToken)
        {
            Obtained.Enqueue(Text(request));
            return new(CredentialResult.Ready(CredentialLine.For("Bearer x", null, this)));
        }

        public override ValueTask<CredentialResult> RecoverAsync(UpstreamChallenge challenge, CancellationToken cancellationToken)
        {
            Challenged.Enqueue(Text(challenge.Request));
            return new(afterChallenge ?? CredentialResult.PassThrough);
        }

        public override Task StartAsync(CancellationToken cancellationToken) => Task.CompletedTask;

        public override ValueTask DisposeAsync() => ValueTask.CompletedTask;

        private static string Text(UpstreamRequest request) =>
            $"{request.Method} {request.Url.AbsolutePath}{(request.Caller is { } caller ? $" of {Encoding.ASCII.GetString(caller.Bytes.Span)}" : "")}";
    }
}
