using System.Net;
using System.Net.Sockets;

namespace McpProxyFast.Harness;

/// <summary>An upstream whose accept queue is full: whoever connects waits.</summary>
public sealed class FullListener : IDisposable
{
    private readonly Socket _listener = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
    private readonly Socket _first = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);

    public FullListener()
        : this(IPAddress.Loopback, 0)
    {
    }

    public FullListener(IPAddress address, int port)
    {
        _listener.Bind(new IPEndPoint(address, port));
        _listener.Listen(0);
        _first.Connect(_listener.LocalEndPoint!); // nobody accepts it, and a queue of length 0 has room for one
    }

    public Uri Target => new($"http://{_listener.LocalEndPoint}");

    public int Port => ((IPEndPoint)_listener.LocalEndPoint!).Port;

    public Task ExpectSomebodyConnectingAsync() => Patience.UntilAsync(() => IsSomebodyConnecting, "Nobody connects.");

    /// <summary>The attempt was given up, not only the wait for it.</summary>
    public Task ExpectNobodyConnectingAsync() => Patience.UntilAsync(() => !IsSomebodyConnecting, "Somebody still connects.");

    public void Dispose()
    {
        _first.Dispose();
        _listener.Dispose();
    }

    /// <summary>So many attempts are under way to this port, at whatever address.</summary>
    public async Task<bool> ExpectConnectingAsync(int count)
    {
        await Patience.UntilAsync(
            () => SystemSockets.Towards(Port).Count(row => row.State is SystemSockets.State.SynSent) == count, "They do not connect.");
        return true;
    }

    private bool IsSomebodyConnecting => SystemSockets.Towards(Port).Any(row => row.State is SystemSockets.State.SynSent);
}
