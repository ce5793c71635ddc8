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

    /// <summary>
    /// The last member in the queue now; null if it is empty. A loop that serves up to this one leaves members that are added later for its next pass.
    /// </summary>
    public readonly IEpollMember? Last => _last;

    /// <summary>
    /// Adds a member with the events to report. If it already waits in one of its loop's queues, it keeps its place there, and the events are added to those
    /// not yet reported.
    /// </summary>
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

    /// <summary>A member's place in a queue, and its events that have not been reported.</summary>
    public struct Link
    {
        public IEpollMember? Next;
        public uint Flags;
        public bool IsWaiting;
    }
}
