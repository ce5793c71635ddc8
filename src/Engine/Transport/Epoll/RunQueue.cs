namespace McpProxyFast.Transport.Epoll;

/// <summary>
/// The members of a loop that wait to be served, in order of arrival. Used on the loop's thread only. Each descriptor holds its own link, so nothing is
/// allocated. A descriptor waits in at most one queue of its loop.
/// </summary>
internal struct RunQueue
{
    private IEpollMember? _first;
    private IEpollMember? _last;

    public readonly bool IsEmpty => _first is null;

    /// <summary>The last member now. Later ones wait for the next round.</summary>
    public readonly IEpollMember? Last => _last;

    /// <summary>Adds a member with the events to report. If it is already waiting, in any queue, the events are added to its earlier ones.</summary>
    public void Add(IEpollMember member, uint flags)
    {
        ref Link turn = ref member.Descriptor.Turn;
        turn.Flags |= flags;
        if (turn.IsWaiting)
        {
            return;
        }

        turn.IsWaiting = true;
        if (_last is null)
        {
            _first = member;
        }
        else
        {
            _last.Descriptor.Turn.Next = member;
        }

        _last = member;
    }

    /// <summary>Takes the first member; null if none waits.</summary>
    public IEpollMember? Take(out uint flags)
    {
        flags = 0;
        if (_first is not { } member)
        {
            return null;
        }

        ref Link turn = ref member.Descriptor.Turn;
        flags = turn.Flags;
        _first = turn.Next;
        _last = _first is null ? null : _last;
        turn = default;
        return member;
    }

    /// <summary>A member's place in the queue.</summary>
    public struct Link
    {
        public IEpollMember? Next;
        public uint Flags;
        public bool IsWaiting;
    }
}
