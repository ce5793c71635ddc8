using System.IO.Pipelines;
using System.Net.Sockets;
using McpProxyFast.Wire.Tests.Support;
using Microsoft.Extensions.Time.Testing;

namespace McpProxyFast.Wire.Tests.Hosts;

/// <summary>Whatever a hook throws has one documented outcome, and is logged once by its type, never by its text.</summary>
public sealed class HookTests
{
    private const string Secret = "s3cret";
    private const string PostWithToken = "POST /mcp HTTP/1.1\r\nHost: h\r\nAuthorization: Bearer abc\r\nContent-Length: 2\r\n\r\n{}";

    /// <summary>A hook waits, the client leaves, and the hook's callback on its token throws.</summary>
    /// <param name="hook">Adds the hook to the options; it says when it has been asked.</param>
    private static async Task ExpectCallbackEndsNothingAsync(Func<McpProxyOptions, TaskCompletionSource, McpProxyOptions> hook)
    {
        var log = new LogLines();
        var asked = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        await using var host = new WireHost(Over.Pipes, options => hook(options with { Logger = log }, asked));
        RawPeer client = await host.ConnectAsync();
        await client.SendAsync(Messages.Post);
        await asked.Task.Soon();
        client.Finish();
        await Expect.ClientGoneAsync(host, attempts: 0);
        await log.UntilAsync("cancellation callback");
        ExpectOneLine(log, "cancellation callback");
        await host.ServedAsync();
    }

    /// <summary>Longest wait for a host's credential source.</summary>
    private static readonly TimeSpan SourceLimit = TimeSpan.FromSeconds(45);

    public static TheoryData<string> Failures => ["at once", "later", "without a result"];

    [Theory]
    [MemberData(nameof(Failures))]
    public async Task ValidatorThatFailsIs503VerdictUnavailable(string how)
    {
        var log = new LogLines();
        await using var host = new WireHost(
            Over.Pipes,
            options => options with { Logger = log, Incoming = TokenPolicy.Custom(new ScriptedValidator((_, _) => Fail<TokenVerdict>(how))) });
        await ExpectAsync(host, PostWithToken, 503, "verdict-unavailable");
        await ExpectAsync(host, PostWithToken, 503, "verdict-unavailable");
        ExpectOneLine(log, "token validator");
        Assert.Equal(0, host.Connects);
    }

    [Theory]
    [InlineData("at once")]
    [InlineData("later")]
    public async Task CredentialSourceThatThrowsIs503CredentialUnavailable(string how)
    {
        var log = new LogLines();
        await using var host = new WireHost(
            Over.Pipes,
            options => options with { Logger = log, Outgoing = OutgoingPolicy.From(new ScriptedSource(_ => Fail<OutgoingCredential?>(how))) });
        await ExpectAsync(host, Messages.Post, 503, "credential-unavailable");
        await ExpectAsync(host, Messages.Post, 503, "credential-unavailable");
        ExpectOneLine(log, "credential source");
        Assert.Equal(0, host.Connects);
    }

    [Fact]
    public async Task CredentialThatCannotStandInAFieldIs503CredentialUnavailable()
    {
        var log = new LogLines();
        await using var host = new WireHost(
            Over.Pipes,
            options => options with
            {
                Logger = log,
                Outgoing = OutgoingPolicy.From(new ScriptedSource(_ => new(new OutgoingCredential($"Bearer {Secret}\r\nX: y")))),
            });
        await ExpectAsync(host, Messages.Post, 503, "credential-unavailable");
        ExpectOneLine(log, "credential source");
    }

    [Fact]
    public async Task CredentialSourceThatDoesNotAnswerIs503CredentialUnavailable()
    {
        var clock = new FakeTimeProvider();
        var cancelled = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var asked = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        await using var host = new WireHost(
            Over.Pipes,
            options => options with
            {
                Outgoing = OutgoingPolicy.From(new ScriptedSource(async cancel =>
                {
                    cancel.Register(cancelled.SetResult);
                    asked.SetResult();
                    await new TaskCompletionSource().Task;
                    return null;
                })),
            },
            clock);
        RawPeer client = await host.ConnectAsync();
        await client.SendAsync(Messages.Post);
        await asked.Task.Soon();
        StrictMessage answer = await host.PassUntilAsync(client.ReadResponseAsync(), SourceLimit);
        Assert.Equal(503, answer.Status);
        Assert.Contains("\"reason\":\"credential-unavailable\"", answer.Body, StringComparison.Ordinal);
        await cancelled.Task.Soon();
    }

    [Theory, OverEvery]
    public async Task ObserverThatThrowsHarmsNothing(Over over)
    {
        var log = new LogLines();
        await using var host = new WireHost(over, options => options with { Logger = log, Observer = new ThrowingObserver() });
        AnsweringUpstream.Ok(host);
        RawPeer client = await host.ConnectAsync();
        for (int i = 0; i < 3; i++)
        {
            await client.SendAsync(Messages.Post);
            Assert.Equal("ok", (await client.ReadResponseAsync()).Body);
        }

        await log.UntilAsync("observer");
        ExpectOneLine(log, "observer");
        Assert.Equal(1, host.Connects);
    }

    public static TheoryData<Exception, int, string> ConnectFailures => new()
    {
        { new IOException(Secret), 502, "upstream-unreachable" },
        { new SocketException((int)SocketError.ConnectionRefused), 502, "upstream-unreachable" },
        { new TimeoutException(Secret), 504, "upstream-connect-timeout" },
        { new OperationCanceledException(Secret), 504, "upstream-connect-timeout" },
    };

    [Theory]
    [MemberData(nameof(ConnectFailures), DisableDiscoveryEnumeration = true)]
    public async Task ExpectedExceptionOfConnectUpstreamHasItsAnswer(Exception fault, int status, string reason)
    {
        var log = new LogLines();
        await using var host = new WireHost(Over.Pipes, options => options with { Logger = log, ConnectUpstream = _ => throw fault });
        await ExpectAsync(host, Messages.Post, status, reason);
        Assert.Empty(log.With("The host program's"));
        Assert.Empty(log.With(Secret));
    }

    [Theory]
    [MemberData(nameof(Failures))]
    public async Task UnexpectedExceptionOfConnectUpstreamIs502(string how)
    {
        var log = new LogLines();
        await using var host = new WireHost(Over.Pipes, options => options with { Logger = log, ConnectUpstream = _ => Fail<IDuplexPipe>(how) });
        await ExpectAsync(host, Messages.Post, 502, "upstream-unreachable");
        await ExpectAsync(host, Messages.Post, 502, "upstream-unreachable");
        ExpectOneLine(log, "ConnectUpstream");
    }

    [Fact]
    public async Task ConnectUpstreamThatTakesTooLongIs504AndItsLateConnectionIsCompleted()
    {
        var clock = new FakeTimeProvider();
        var pair = new PipePair();
        var late = new TaskCompletionSource<IDuplexPipe>();
        var asked = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        await using var host = new WireHost(
            Over.Pipes,
            options => options with
            {
                ConnectUpstream = _ =>
                {
                    asked.SetResult();
                    return new ValueTask<IDuplexPipe>(late.Task);
                },
            },
            clock);
        RawPeer client = await host.ConnectAsync();
        await client.SendAsync(Messages.Post);
        await asked.Task.Soon();
        StrictMessage answer = await host.PassUntilAsync(client.ReadResponseAsync(), new ProxyLimits().ConnectTimeout);
        Assert.Equal(504, answer.Status);
        Assert.Contains("\"reason\":\"upstream-connect-timeout\"", answer.Body, StringComparison.Ordinal);
        late.SetResult(pair.EngineEnd);
        await Assert.ThrowsAsync<IOException>(() => pair.TestEnd.Input.ReadAsync().Soon());
    }

    [Fact]
    public async Task ConnectionThatComesWhenTheClientHasGoneIsCompleted()
    {
        var pair = new PipePair();
        var late = new TaskCompletionSource<IDuplexPipe>();
        var asked = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        await using var host = new WireHost(Over.Pipes, options => options with
        {
            ConnectUpstream = _ =>
            {
                asked.SetResult();
                return new ValueTask<IDuplexPipe>(late.Task);
            },
        });
        RawPeer client = await host.ConnectAsync();
        await client.SendAsync(Messages.Post);
        await asked.Task.Soon();
        client.Finish();
        await Expect.ClientGoneAsync(host, attempts: 0);
        late.SetResult(pair.EngineEnd);
        await Assert.ThrowsAsync<IOException>(() => pair.TestEnd.Input.ReadAsync().Soon());
    }

    [Fact]
    public Task CallbackThatThrowsWhenAConnectIsCancelledEndsNothing() => ExpectCallbackEndsNothingAsync(static (options, asked) => options with
    {
        ConnectUpstream = cancel => new ValueTask<IDuplexPipe>(NeverAsync<IDuplexPipe>(asked, cancel)),
    });

    [Fact]
    public Task CallbackThatThrowsWhenACredentialIsNoLongerWaitedForEndsNothing() => ExpectCallbackEndsNothingAsync(static (options, asked) => options with
    {
        Outgoing = OutgoingPolicy.From(new ScriptedSource(cancel => new(NeverAsync<OutgoingCredential?>(asked, cancel)))),
    });

    [Fact]
    public async Task CallbackThatThrowsWhenATokenTookTooLongEndsNothing()
    {
        var log = new LogLines();
        var clock = new FakeTimeProvider();
        var asked = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        await using var host = new WireHost(
            Over.Pipes,
            options => options with
            {
                Logger = log,
                Incoming = TokenPolicy.Custom(new ScriptedValidator((_, cancel) => new(NeverAsync<TokenVerdict>(asked, cancel)))),
            },
            clock);
        RawPeer client = await host.ConnectAsync();
        await client.SendAsync(PostWithToken);
        await asked.Task.Soon();
        clock.Advance(TimeSpan.FromSeconds(15)); // runs the timer on this thread: what it threw would come out here
        Assert.Equal(503, (await client.ReadResponseAsync()).Status);
        await log.UntilAsync("cancellation callback");
        ExpectOneLine(log, "cancellation callback");
    }

    [Fact]
    public async Task ExceptionsOfAHookAreToldOnceAndThenByTheirNumber()
    {
        var log = new LogLines();
        var clock = new FakeTimeProvider();
        await using var host = new WireHost(Over.Pipes, options => options with { Logger = log, ConnectUpstream = _ => Fail<IDuplexPipe>("at once") }, clock);
        for (int i = 0; i < 3; i++)
        {
            await ExpectAsync(host, Messages.Post, 502, "upstream-unreachable");
        }

        Assert.Single(log.With("The host program's ConnectUpstream threw System.FormatException"));
        clock.Advance(TimeSpan.FromSeconds(10));
        await log.UntilAsync("exceptions of the host program's ConnectUpstream: System.FormatException: 2 more of these in the last 10 s");
    }

    /// <summary>A new client sends the request and gets the proxy's own answer, after which its connection goes on.</summary>
    private static async Task ExpectAsync(WireHost host, string request, int status, string reason)
    {
        RawPeer client = await host.ConnectAsync();
        await client.SendAsync(request);
        StrictMessage answer = await client.ReadResponseAsync();
        Assert.Equal(status, answer.Status);
        Assert.Contains($"\"reason\":\"{reason}\"", answer.Body, StringComparison.Ordinal);
        ReportedExchange report = await host.Reports.NextAsync();
        Assert.Equal((ExchangeEnd.Faulted, reason), (report.End, report.Reason));
        await client.SendAsync(Messages.GetOf("/health"));
        Assert.Equal(200, (await client.ReadResponseAsync()).Status);
        Assert.Equal(ExchangeEnd.AnsweredByProxy, (await host.Reports.NextAsync()).End);
        client.Finish();
    }

    private static void ExpectOneLine(LogLines log, string hook)
    {
        Assert.Contains("Exception", Assert.Single(log.With($"The host program's {hook} threw System.")), StringComparison.Ordinal);
        Assert.Empty(log.With(Secret));
    }

    private static ValueTask<T> Fail<T>(string how) => how switch
    {
        "at once" => throw new FormatException(Secret),
        "later" => LaterAsync<T>(),
        _ => new ValueTask<T>(default(T)!),
    };

    private static async ValueTask<T> LaterAsync<T>()
    {
        await Task.Yield();
        throw new FormatException(Secret);
    }

    /// <summary>Waits for ever; its callback throws when the token is cancelled.</summary>
    private static async Task<T> NeverAsync<T>(TaskCompletionSource asked, CancellationToken cancel)
    {
        cancel.Register(static () => throw new FormatException(Secret));
        asked.SetResult();
        return await new TaskCompletionSource<T>().Task;
    }

    private sealed class ThrowingObserver : IProxyObserver
    {
        public void OnExchangeEnded(in ExchangeReport report) => throw new FormatException(Secret);
    }
}
