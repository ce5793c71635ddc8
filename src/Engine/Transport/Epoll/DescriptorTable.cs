using System.Diagnostics;

namespace McpProxyFast.Transport.Epoll;

/// <summary>The descriptors of one loop, by the keys in its events.</summary>
/// <remarks>
/// A key consists of a slot and a number that is never reused. So an event for a removed descriptor finds nothing, even if its slot was filled again. Each slot
/// is one reference to an object that knows its own key. <see cref="Find"/> reads the slot once and compares, so key and descriptor always belong together.
/// </remarks>
internal sealed class DescriptorTable
{
    private readonly Lock _changing = new();

    /// <summary>Empty slots below <c>_used</c>.</summary>
    private readonly Stack<int> _free = new();

    /// <summary>
    /// The slots. Changed under the lock, read without it. Replaced by a longer array when full: an event can only name a slot that was filled before.
    /// </summary>
    private EpollDescriptor?[] _slots = new EpollDescriptor?[64];

    /// <summary>The number of slots ever used.</summary>
    private int _used;

    /// <summary>Makes keys unique. Wraps after four billion descriptors, when the first have long been closed.</summary>
    private uint _added;

    /// <summary>Assigns a key and a slot to the descriptor.</summary>
    public void Add(EpollDescriptor descriptor)
    {
        lock (_changing)
        {
            int index = _free.TryPop(out int free) ? free : _used++;
            if (index == _slots.Length)
            {
                EpollDescriptor?[] longer = new EpollDescriptor?[_slots.Length * 2];
                _slots.CopyTo(longer, 0);
                Volatile.Write(ref _slots, longer);
            }

            Debug.Assert(_slots[index] is null, "A slot has one descriptor.");
            descriptor.Key = ((ulong)++_added << 32) | (uint)index;
            Volatile.Write(ref _slots[index], descriptor);
        }
    }

    /// <summary>Removes a descriptor that is about to be closed.</summary>
    public void Remove(EpollDescriptor descriptor)
    {
        int index = (int)(uint)descriptor.Key;
        lock (_changing)
        {
            Debug.Assert(_slots[index] == descriptor, "A descriptor leaves once.");
            Volatile.Write(ref _slots[index], null);
            _free.Push(index);
        }
    }

    /// <summary>The descriptor that an event names; null if it was removed. Does not take the lock.</summary>
    public EpollDescriptor? Find(ulong key)
    {
        EpollDescriptor?[] slots = Volatile.Read(ref _slots);
        uint index = (uint)key;
        return index < (uint)slots.Length && Volatile.Read(ref slots[index]) is { } found && found.Key == key ? found : null;
    }
}
