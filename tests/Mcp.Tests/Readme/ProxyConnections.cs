using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Connections.Features;
using Microsoft.AspNetCore.Http.Features;

namespace McpProxyFast.Mcp.Tests.Readme;

// <readme>
public sealed class ProxyConnections(McpProxy proxy) : ConnectionHandler
{
    public override Task OnConnectedAsync(ConnectionContext connection)
    {
        var info = new ClientConnectionInfo
        {
            Remote = connection.RemoteEndPoint,
            Local = connection.LocalEndPoint,                       // on loopback, only loopback's names may be asked for
            IsTls = connection.Features.Get<ITlsConnectionFeature>() is not null,
        };
        var lifetime = connection.Features.GetRequiredFeature<IConnectionLifetimeNotificationFeature>();
        return proxy.ServeAsync(connection.Transport, info, lifetime.ConnectionClosedRequested);
    }
}
// </readme>
