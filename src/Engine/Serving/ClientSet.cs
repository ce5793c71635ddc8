using McpProxyFast.Transport;

namespace McpProxyFast.Serving;

/// <summary>The client connections of one proxy that are open: passes the heartbeat on to each.</summary>
internal sealed class ClientSet : IHeartbeatListener
{
    private readonly Lock _changing = new();

    /// <summary>Places that are empty, of those that were used before.</summary>
    private readonly Stack<int> _free = new();

    /// <summary>Changed under the lock, read without it.</summary>
    private ClientConnection?[] _clients = new ClientConnection?[64];

    /// <summary>Places that have ever been used.</summary>
    private int _used;

    /// <summary>Adds a connection; the number is for <see cref="Remove"/>.</summary>
    public int Add(ClientConnection client)
    {
        lock (_changing)
        {
            int index = _free.TryPop(out int free) ? free : _used++;
            if (index == _clients.Length)
            {
                Array.Resize(ref _clients, _clients.Length * 2);
            }

            Volatile.Write(ref _clients[index], client);
            return index;
        }
    }

    public void Remove(int index)
    {
        lock (_changing)
        {
            Volatile.Write(ref _clients[index], null);
            _free.Push(index);
        }
    }

    /// <summary>Calls <paramref name="action"/> for every connection. One that comes or goes meanwhile may be missed.</summary>
    public void ForEach(Action<ClientConnection> action)
    {
        ClientConnection?[] clients = Volatile.Read(ref _clients);
        for (int i = 0; i < clients.Length; i++)
        {
            if (Volatile.Read(ref clients[i]) is { } client)
            {
                action(client);
            }
        }
    }

    public void OnBeat(long nowMilliseconds)
    {
        ClientConnection?[] clients = Volatile.Read(ref _clients);
        for (int i = 0; i < clients.Length; i++)
        {
            Volatile.Read(ref clients[i])?.OnBeat(nowMilliseconds);
        }
    }
}
