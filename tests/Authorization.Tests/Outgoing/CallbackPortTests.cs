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
        Assert.Contains($"The callback port {port} is taken", body, StringComparison.Ordinal);
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
}
