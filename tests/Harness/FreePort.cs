using System.Net;
using System.Net.Sockets;

namespace McpProxyFast.Harness;

/// <summary>Ports for a program that has to be told one before it can listen.</summary>
/// <remarks>
/// A port that the system has given, and that was closed again, may be given to the next connection of any test before the program listens. So these lie below
/// the range from which systems give ports (32,768 and up), and no two calls of a process get the same one.
/// </remarks>
public static class FreePort
{
    private const int First = 10_000;
    private const int Count = 20_000;

    // Test projects may run side by side: each begins elsewhere.
    private static int _next = Environment.ProcessId * 101 % Count;

    /// <exception cref="InvalidOperationException">All of them are taken.</exception>
    public static int Next()
    {
        for (int i = 0; i < Count; i++)
        {
            int port = First + (int)((uint)Interlocked.Increment(ref _next) % Count);
            if (IsFree(port))
            {
                return port;
            }
        }

        throw new InvalidOperationException($"None of the ports from {First} on is free.");
    }

    private static bool IsFree(int port)
    {
        using var probe = new TcpListener(IPAddress.Loopback, port);
        try
        {
            probe.Start();
            return true;
        }
        catch (SocketException)
        {
            return false;
        }
    }
}
