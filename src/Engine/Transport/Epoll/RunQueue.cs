namespace McpProxyFast.Transport.Epoll;

/// <summary>
/// The descriptors of a loop that wait for their turn, in order of arrival. Used on the loop's thread only. Each descriptor holds its own link, so nothing is
/// allocated.
/// </summary>
internal struct RunQueue
{
    private EpollDescriptor? _first;
    private EpollDescriptor? _last;

    public readonly bool IsEmpty => _first is null;

    /// <summary>The last descriptor now. Later ones wait for the next round.</summary>
    public readonly EpollDescriptor? Last => _last;

    /// <summary>Adds a descriptor with the events to report. If it is already waiting, the events are added to its earlier ones.</summary>
    public void Add(EpollDescriptor descriptor, uint flags)
    {
        descriptor.Turn.Flags |= flags;
        if (descriptor.Turn.IsWaiting)
        {
            return;
        }

        descriptor.Turn.IsWaiting = true;
        if (_last is null)
        {
            _first = descriptor;
        }
        else
        {
            _last.Turn.Next = descriptor;
        }

        _last = descriptor;
    }

    /// <summary>Takes the first descriptor; null if none waits.</summary>
    public EpollDescriptor? Take(out uint flags)
    {
        flags = 0;
        if (_first is not { } descriptor)
        {
            return null;
        }

        flags = descriptor.Turn.Flags;
        _first = descriptor.Turn.Next;
        _last = _first is null ? null : _last;
        descriptor.Turn = default;
        return descriptor;
    }

    /// <summary>A descriptor's place in the queue.</summary>
    public struct Link
    {
        public EpollDescriptor? Next;
        public uint Flags;
        public bool IsWaiting;
    }
}
