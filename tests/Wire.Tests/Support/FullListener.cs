using System.Net;
using System.Net.Sockets;

namespace McpProxyFast.Wire.Tests.Support;

/// <summary>An upstream whose accept queue is full: whoever connects waits.</summary>
internal sealed class FullListener : IDisposable
{
    private readonly Socket _listener = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
    private readonly Socket _first = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);

    public FullListener()
    {
        _listener.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        _listener.Listen(0);
        _first.Connect(_listener.LocalEndPoint!); // nobody accepts it, and a queue of length 0 has room for one
    }

    public Uri Target => new($"http://{_listener.LocalEndPoint}");

    private int Port => ((IPEndPoint)_listener.LocalEndPoint!).Port;

    public Task ExpectSomebodyConnectingAsync() => SystemSockets.UntilAsync(() => IsSomebodyConnecting, "Nobody connects.");

    /// <summary>The attempt was given up, not only the wait for it.</summary>
    public Task ExpectNobodyConnectingAsync() => SystemSockets.UntilAsync(() => !IsSomebodyConnecting, "Somebody still connects.");

    public void Dispose()
    {
        _first.Dispose();
        _listener.Dispose();
    }

    private bool IsSomebodyConnecting => SystemSockets.Towards(Port).Any(row => row.State is SystemSockets.State.SynSent);
}
