using System.Diagnostics;

namespace McpProxyFast.Transport.Epoll;

/// <summary>The members of one event loop (channels and acceptors). Finds the member of an event by the key in the event.</summary>
/// <remarks>
/// A key consists of the index of a slot and a serial number. So an event for a removed descriptor finds nothing, even if its slot was filled again. A slot
/// holds one reference, to an object that knows its own key. <see cref="Find"/> reads the slot once and compares the keys, so it never returns the member of
/// another key.
/// </remarks>
internal sealed class DescriptorTable
{
    private readonly Lock _changing = new();

    /// <summary>Empty slots below <c>_used</c>.</summary>
    private readonly Stack<int> _free = new();

    /// <summary>
    /// The slots. Changed under the lock, read without it. When all are used, the array is replaced by a longer one. A reader may still see the old one: it has
    /// every slot that was filled before the event.
    /// </summary>
    private IEpollMember?[] _slots = new IEpollMember?[64];

    /// <summary>The number of slots ever used.</summary>
    private int _used;

    /// <summary>The serial number of the last key. Wraps after four billion descriptors; the first of them have long been closed by then.</summary>
    private uint _added;

    /// <summary>Assigns a key and a slot to a member's descriptor.</summary>
    public void Add(IEpollMember member)
    {
        lock (_changing)
        {
            int index = _free.TryPop(out int free) ? free : _used++;
            if (index == _slots.Length)
            {
                IEpollMember?[] longer = new IEpollMember?[_slots.Length * 2];
                _slots.CopyTo(longer, 0);
                Volatile.Write(ref _slots, longer);
            }

            Debug.Assert(_slots[index] is null, "A slot has one descriptor.");
            member.Descriptor.Key = ((ulong)++_added << 32) | (uint)index;
            Volatile.Write(ref _slots[index], member);
        }
    }

    /// <summary>Removes a member whose descriptor is about to be closed or detached.</summary>
    public void Remove(IEpollMember member)
    {
        int index = (int)(uint)member.Descriptor.Key;
        lock (_changing)
        {
            Debug.Assert(_slots[index] == member, "A descriptor leaves once.");
            Volatile.Write(ref _slots[index], null);
            _free.Push(index);
        }
    }

    /// <summary>All members that have not been removed.</summary>
    public List<IEpollMember> All()
    {
        lock (_changing)
        {
            var members = new List<IEpollMember>();
            foreach (IEpollMember? member in _slots)
            {
                if (member is not null)
                {
                    members.Add(member);
                }
            }

            return members;
        }
    }

    /// <summary>The member that an event names; null if it was removed. Does not take the lock.</summary>
    public IEpollMember? Find(ulong key)
    {
        IEpollMember?[] slots = Volatile.Read(ref _slots);
        uint index = (uint)key;
        return index < (uint)slots.Length && Volatile.Read(ref slots[index]) is { } found && found.Descriptor.Key == key ? found : null;
    }
}
