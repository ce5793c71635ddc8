using System.Net;
using System.Net.Sockets;
using McpProxyFast.Authorization.Tests.Outgoing.Support;
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
}
