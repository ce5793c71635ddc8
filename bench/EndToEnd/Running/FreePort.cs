using System.Net;
using System.Net.Sockets;

namespace McpProxyFast.EndToEnd.Running;

/// <summary>Ports given by the system, for programs that can't say which one they were given.</summary>
internal static class FreePort
{
    public static int Next()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }
}
