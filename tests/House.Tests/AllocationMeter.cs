using System.Net;
using System.Net.Sockets;

namespace McpProxyFast.House.Tests;

/// <summary>Says whether an exchange allocates: over peers that are raw and synchronous, so that nobody but the engine could.</summary>
internal static class AllocationMeter
{
    /// <summary>How many exchanges are counted at once.</summary>
    public const int Measured = 2_000;

    private const int Warm = 3_000;
    private const int Rounds = 5;

    /// <summary>No object is smaller, in bytes. One in every fourth exchange is found.</summary>
    private const int SmallestObject = 24;

    /// <summary>Runs an exchange until it is warm, and then counts what it allocates.</summary>
    public static void ExpectNothing(Action exchange)
    {
        for (int i = 0; i < Warm; i++)
        {
            exchange();
        }

        // Tiered compilation and the test host allocate too, some 2 KB a second: with each second that a slow machine takes, more.
        // What an exchange allocates, it allocates however long it takes.
        long least = long.MaxValue;
        for (int round = 0; round < Rounds; round++)
        {
            long before = GC.GetTotalAllocatedBytes(precise: true);
            for (int i = 0; i < Measured; i++)
            {
                exchange();
            }

            least = Math.Min(least, GC.GetTotalAllocatedBytes(precise: true) - before);
        }

        Assert.True(least < Measured / 4 * SmallestObject, $"{Measured} exchanges allocated {least} bytes.");
    }

    /// <summary>A proxy that listens, before an upstream of the test's.</summary>
    public static McpProxy Listen(McpProxyOptions options, TcpListener upstream) => new(options with
    {
        Target = new Uri($"http://{upstream.LocalEndpoint}"),
        Listen = new IPEndPoint(IPAddress.Loopback, 0),
        AllowedHosts = ["*"],
    });

    /// <summary>Starts the proxy, and connects a client to it.</summary>
    public static Socket Connect(McpProxy proxy)
    {
        var client = new Socket(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        client.Connect(proxy.Bind());
        _ = proxy.RunAsync(CancellationToken.None);
        return client;
    }

    /// <summary>Receives exactly so many bytes.</summary>
    public static void ReceiveAll(Socket socket, byte[] buffer, int length)
    {
        while (length > 0)
        {
            int received = socket.Receive(buffer, Math.Min(buffer.Length, length), SocketFlags.None);
            length -= received > 0 ? received : throw new InvalidOperationException($"The connection ended {length} bytes early.");
        }
    }
}
