using System.Net;
using System.Net.Sockets;

namespace McpProxyFast.Cli.Demo;

/// <summary>Asks the system for a port that no program listens on at this moment.</summary>
internal static class FreePort
{
    public static int Find()
    {
        using var probe = new TcpListener(IPAddress.Loopback, 0);
        probe.Start();
        return ((IPEndPoint)probe.LocalEndpoint).Port;
    }
}
