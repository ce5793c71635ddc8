using System.Net;
using System.Net.Sockets;

namespace McpProxyFast.Engine.Tests.Transport;

/// <summary>A process whose thread pool is of no use: a host's code blocks each of its threads, and there can be no more. A proxy runs in it.</summary>
internal static class StarvedPool
{
    /// <summary>The proxy has closed a connection whose client sent nothing in time.</summary>
    public const int ExitCode = 42;

    public static int Main()
    {
        var proxy = new McpProxy(new McpProxyOptions
        {
            Target = new Uri("http://127.0.0.1:1/"),
            Listen = new IPEndPoint(IPAddress.Loopback, 0),
            Limits = new ProxyLimits { HeaderTimeout = TimeSpan.FromMilliseconds(200) },
            PortableTransport = false, // without event loops the pool serves the connections themselves
        });
        IPEndPoint address = proxy.Bind();
        _ = proxy.RunAsync(CancellationToken.None);
        using var ever = new ManualResetEventSlim();
        BlockEveryThread(ever);

        using var client = new Socket(address.AddressFamily, SocketType.Stream, ProtocolType.Tcp) { ReceiveTimeout = (int)Patience.Limit.TotalMilliseconds };
        client.Connect(address);
        return client.Receive(new byte[1]) == 0 ? ExitCode : 1;
    }

    private static void BlockEveryThread(ManualResetEventSlim until)
    {
        int count = Environment.ProcessorCount;
        ThreadPool.GetMinThreads(out _, out int ports);
        if (!ThreadPool.SetMinThreads(count, ports) || !ThreadPool.SetMaxThreads(count, ports))
        {
            throw new InvalidOperationException("The number of the pool's threads cannot be set.");
        }

        using var areBlocked = new CountdownEvent(count);
        for (int i = 0; i < count; i++)
        {
            ThreadPool.UnsafeQueueUserWorkItem(
                _ =>
                {
                    areBlocked.Signal();
                    until.Wait();
                },
                null);
        }

        areBlocked.Wait();
    }
}
