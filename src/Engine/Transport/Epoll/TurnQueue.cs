namespace McpProxyFast.Transport;

/// <summary>The sockets of one loop that wait for their turn, first come first served. On the loop's thread only; each link lies in its socket, so nothing is allocated.</summary>
internal struct TurnQueue
{
    private EpollSocket? _first;
    private EpollSocket? _last;

    public readonly bool IsEmpty => _first is null;

    /// <summary>Who is last now: what comes later waits for another round.</summary>
    public readonly EpollSocket? Last => _last;

    /// <summary>Adds a socket with the events it is to be told; one that waits already is told these too.</summary>
    public void Add(EpollSocket socket, uint flags)
    {
        socket.Turn.Flags |= flags;
        if (socket.Turn.IsWaiting)
        {
            return;
        }

        socket.Turn.IsWaiting = true;
        if (_last is null)
        {
            _first = socket;
        }
        else
        {
            _last.Turn.Next = socket;
        }

        _last = socket;
    }

    /// <summary>Takes the first; null where none waits.</summary>
    public EpollSocket? Take(out uint flags)
    {
        flags = 0;
        if (_first is not { } socket)
        {
            return null;
        }

        flags = socket.Turn.Flags;
        _first = socket.Turn.Next;
        _last = _first is null ? null : _last;
        socket.Turn = default;
        return socket;
    }

    /// <summary>A socket's place in the queue.</summary>
    public struct Link
    {
        public EpollSocket? Next;
        public uint Flags;
        public bool IsWaiting;
    }
}
