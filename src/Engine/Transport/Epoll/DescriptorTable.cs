using System.Diagnostics;

namespace McpProxyFast.Transport.Epoll;

/// <summary>The descriptors of one loop by the keys that its events carry.</summary>
/// <remarks>
/// A key is a slot and a number that is never used twice, so an event for a descriptor that has left finds nobody, though its slot be taken again. Each slot
/// is one reference to an object that knows its own key: <see cref="Find"/> reads it once and compares, so there is no moment at which key and owner
/// belong to different descriptors.
/// </remarks>
internal sealed class DescriptorTable
{
    private readonly Lock _changing = new();

    /// <summary>Slots that are empty, of those that were used before.</summary>
    private readonly Stack<int> _free = new();

    /// <summary>Changed under the lock, read without it. Replaced by a longer one when full: an event can only name a slot that was filled before it.</summary>
    private EpollDescriptor?[] _slots = new EpollDescriptor?[64];

    /// <summary>Slots that have ever been used.</summary>
    private int _used;

    /// <summary>Makes keys differ; wraps after four billion descriptors, of which the first have long gone.</summary>
    private uint _added;

    /// <summary>Gives the descriptor a key and a slot.</summary>
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

    /// <summary>Forgets a descriptor that is about to be closed.</summary>
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

    /// <summary>The descriptor that an event names; null where it has left. Without the lock.</summary>
    public EpollDescriptor? Find(ulong key)
    {
        EpollDescriptor?[] slots = Volatile.Read(ref _slots);
        uint index = (uint)key;
        return index < (uint)slots.Length && Volatile.Read(ref slots[index]) is { } found && found.Key == key ? found : null;
    }
}
