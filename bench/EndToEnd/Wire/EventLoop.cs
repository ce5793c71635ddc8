using System.Net.Sockets;

namespace McpProxyFast.EndToEnd.Wire;

/// <summary>One thread's sockets and their readiness. Origin and load are one loop each, so neither needs a lock.</summary>
internal sealed class EventLoop : IDisposable
{
    // Bounds how long a loop with nothing due waits, so that its caller can look at its own clock.
    private const long LongestWait = Clock.Second / 10;

    private readonly Epoll _epoll = new();
    private IPolled?[] _owners = new IPolled?[1024];

    /// <summary>Where every connection of the loop receives; its content is handled before the next receive.</summary>
    public byte[] ReceiveBuffer { get; } = GC.AllocateArray<byte>(256 * 1024, pinned: true);

    public void Dispose() => _epoll.Dispose();

    public void Add(Socket socket, IPolled owner)
    {
        int descriptor = Descriptor(socket);
        if (descriptor >= _owners.Length)
        {
            Array.Resize(ref _owners, Math.Max(descriptor + 1, _owners.Length * 2));
        }

        _owners[descriptor] = owner;
        _epoll.Add(descriptor, Epoll.Readable);
    }

    public void WantWritable(Socket socket, bool wanted) =>
        _epoll.Modify(Descriptor(socket), wanted ? Epoll.Readable | Epoll.Writable : Epoll.Readable);

    public void Remove(Socket socket)
    {
        int descriptor = Descriptor(socket);
        _owners[descriptor] = null;
        _epoll.Remove(descriptor);
    }

    /// <summary>Waits for readiness until <paramref name="until"/> at the latest, and tells the owners.</summary>
    public void Poll(long until)
    {
        long wait = Math.Clamp(until - Clock.Now, 0, LongestWait);
        int count = _epoll.Wait(wait);
        for (int i = 0; i < count; i++)
        {
            (int descriptor, uint ready) = _epoll[i];
            Tell(descriptor, ready);
        }
    }

    private void Tell(int descriptor, uint ready)
    {
        if ((ready & Epoll.Writable) != 0)
        {
            _owners[descriptor]?.OnWritable();
        }

        // Errors and hang-ups are reported beside neither flag; a receive tells which it is.
        if (ready != Epoll.Writable)
        {
            _owners[descriptor]?.OnReadable();
        }
    }

    private static int Descriptor(Socket socket) => (int)socket.SafeHandle.DangerousGetHandle();
}
