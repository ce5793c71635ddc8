using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;
using McpProxyFast.Authorization.Tests.Outgoing.Support;
using McpProxyFast.OAuth.Browser;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Time.Testing;
using Xunit;

namespace McpProxyFast.Authorization.Tests.Outgoing;

public class CallbackPortTests
{
    [Fact]
    public async Task ATakenPortIsLeftForAnotherWhereTheClientIsRegisteredOnTheWay()
    {
        await using Rig rig = await Rig.StartAsync();
        using var taken = new TcpListener(IPAddress.Loopback, 0);
        taken.Start();
        int port = ((IPEndPoint)taken.LocalEndpoint).Port;
        ForwardingProxy proxy = await rig.ProxyAsync(Rig.Policy with { Grant = Rig.WithBrowser with { CallbackPort = port } });

        Assert.Equal(200, (await rig.AskAsync(proxy)).Status);

        Assert.DoesNotContain($":{port}/", rig.Server.Authorizations.Single()["redirect_uri"], StringComparison.Ordinal);
    }

    [Fact]
    public async Task ATakenPortIsAnErrorWhereTheRedirectIsFixed()
    {
        await using Rig rig = await Rig.StartAsync();
        using var taken = new TcpListener(IPAddress.Loopback, 0);
        taken.Start();
        int port = ((IPEndPoint)taken.LocalEndpoint).Port;
        ForwardingProxy proxy = await rig.ProxyAsync(Rig.Policy with { Grant = Rig.WithBrowser with { CallbackPort = port, Client = new KnownClient("registered") } });

        (int status, string body) = await rig.AskAsync(proxy);

        Assert.Equal(503, status);
        Assert.Contains($"The callback port {port} is in use by another program", body, StringComparison.Ordinal);
    }

    /// <summary>What the system has no descriptor for stays in its queue, so another attempt fails at once, and so on.</summary>
    [Fact]
    public async Task AConnectionThatCannotBeAcceptedIsTriedAgainAfterAPause()
    {
        var clock = new FakeTimeProvider();
        using var log = new Browser();
        var attempts = new FailingAccepts(failures: 2);
        using LoopbackCallback callback = LoopbackCallback.Open(0, mayMove: true, clock, log, attempts.AcceptAsync);
        using var patience = new CancellationTokenSource(Patience.Limit);
        Task<CallbackQuery> answer = callback.WaitAsync("mine", patience.Token);

        // Each family has a loop, which has come to its pause before the call above returned. So it does after each pause.
        Assert.Equal(1, attempts.MostOfOneListener);
        clock.Advance(LoopbackCallback.BackOff - TimeSpan.FromMilliseconds(1));
        Assert.Equal(1, attempts.MostOfOneListener);
        await Patience.UntilAsync(() =>
        {
            clock.Advance(LoopbackCallback.BackOff);
            return attempts.LeastOfOneListener == 3;
        });
        using var browser = new HttpClient();
        string page = await browser.GetStringAsync(new Uri($"{callback.RedirectUri}?state=mine&code=c0de"), patience.Token);

        Assert.Contains("You can close this window", page, StringComparison.Ordinal);
        Assert.Equal("c0de", (await answer).Code);
        Assert.Contains(log.Lines, line => line.Contains("A connection to the callback of the sign-in could not be accepted (", StringComparison.Ordinal));
    }

    [Fact]
    public async Task SilentConnectionsDoNotKeepTheBrowserOut()
    {
        // The clock stands still: no connection ends by its time.
        using LoopbackCallback callback = LoopbackCallback.Open(0, mayMove: true, new FakeTimeProvider(), NullLogger.Instance);
        using var patience = new CancellationTokenSource(Patience.Limit);
        int port = new Uri(callback.RedirectUri).Port;
        Task<CallbackQuery> answer = callback.WaitAsync("mine", patience.Token);
        var silent = new List<TcpClient>();
        for (int opened = 0; opened < 200; opened++)
        {
            silent.Add(new TcpClient());
            await silent[^1].ConnectAsync(IPAddress.Loopback, port, patience.Token);
        }

        using var browser = new HttpClient();
        string page = await browser.GetStringAsync(new Uri($"http://127.0.0.1:{port}{LoopbackCallback.Path}?state=mine&code=c0de"), patience.Token);

        Assert.Contains("You can close this window", page, StringComparison.Ordinal);
        silent.ForEach(client => client.Dispose());
        Assert.Equal("c0de", (await answer).Code);
    }

    /// <summary>Accepts connections, once it has failed so often for each listener.</summary>
    private sealed class FailingAccepts(int failures)
    {
        private readonly ConcurrentDictionary<TcpListener, int> _made = new();

        public int MostOfOneListener => _made.Values.Max();

        public int LeastOfOneListener => _made.Values.Min();

        public ValueTask<TcpClient> AcceptAsync(TcpListener listener, CancellationToken stop) =>
            _made.AddOrUpdate(listener, 1, (_, made) => made + 1) > failures
                ? listener.AcceptTcpClientAsync(stop)
                : throw new SocketException((int)SocketError.TooManyOpenSockets);
    }
}
