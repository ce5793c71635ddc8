using System.Net.Sockets;
using System.Text;
using McpProxyFast.Wire.Tests.Support;

namespace McpProxyFast.Wire.Tests;

/// <summary>What many slow peers can make the engine hold.</summary>
[Collection("Alone")]
public sealed class MemoryTests
{
    /// <summary>What the upstreams have got rid of, all together.</summary>
    private long _sent;

    [Theory, OverOnly("Only the engine's own sockets count here; a host's pipes hold bytes of their own.", Over.Sockets, Over.PortableSockets)]
    public async Task ManySlowReadersHoldABoundedTotal(Over over)
    {
        const int readers = 400;
        const int answerBytes = 4 * 1024 * 1024;
        const long maxBytes = 80L * 1024 * 1024; // 400 times 259 KB, what each of few may hold, are more
        using Socket listener = Loopback.Bind();
        listener.Listen(readers);
        await using var host = new WireHost(over, options => options with { Target = new Uri($"http://{listener.LocalEndPoint}") });
        byte[] answer = Encoding.ASCII.GetBytes($"HTTP/1.1 200 OK\r\nContent-Length: {answerBytes}\r\n\r\n{new string('a', answerBytes)}");
        long before = GC.GetTotalMemory(forceFullCollection: true);
        var sockets = new List<Socket>();
        var sending = new List<Task>();
        for (int i = 0; i < readers; i++)
        {
            Socket client = await Loopback.ConnectAsync(host.Address!, receiveBytes: 4096);
            await client.SendAsync(Encoding.ASCII.GetBytes(Messages.Get));
            Socket upstream = await listener.AcceptAsync().Soon();
            sockets.AddRange([client, upstream]);
            sending.Add(SendAsync(upstream, answer));
        }

        await SettleAsync();
        Assert.InRange(GC.GetTotalMemory(forceFullCollection: true) - before, long.MinValue, maxBytes);
        sockets.ForEach(socket => socket.Dispose());
        await Task.WhenAll(sending).Soon();
    }

    /// <summary>Looks until no upstream gets rid of another byte: what is held then is all that will be.</summary>
    private Task SettleAsync()
    {
        const int enoughLooks = 50;
        long last = 0;
        int same = 0;
        return Patience.UntilAsync(
            () =>
            {
                long now = Interlocked.Read(ref _sent);
                same = now == last ? same + 1 : 0;
                last = now;
                return same == enoughLooks;
            },
            "The upstreams are read without end, though no client reads.");
    }

    private async Task SendAsync(Socket upstream, byte[] answer)
    {
        try
        {
            for (int sent = 0; sent < answer.Length;)
            {
                int taken = await upstream.SendAsync(answer.AsMemory(sent));
                sent += taken;
                Interlocked.Add(ref _sent, taken);
            }
        }
        catch (Exception over) when (over is SocketException or ObjectDisposedException)
        {
            // The test is over.
        }
    }
}

/// <summary>Tests that look at the whole process run without others beside them.</summary>
[CollectionDefinition("Alone", DisableParallelization = true)]
public sealed class AloneDefinition;
