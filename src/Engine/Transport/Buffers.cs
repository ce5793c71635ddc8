using System.Collections.Concurrent;
using System.Diagnostics;

namespace McpProxyFast.Transport;

/// <summary>
/// Receive and send buffers in four sizes, cached per thread. Renting takes a few instructions, so an idle connection need not hold a buffer.
/// </summary>
/// <remarks>
/// The buffers are pinned, so their address can be passed to system calls. If the cache of a thread is full, a returned buffer goes to a reserve that all
/// threads share. The reserve fills in a burst of connections, and <see cref="Trim"/> empties it. If the reserve is full too, the buffer is left to the garbage
/// collector. In Debug every size is 1/64, so that tests cross buffer boundaries.
/// </remarks>
internal static class Buffers
{
#if DEBUG
    /// <summary>The smallest size, in bytes.</summary>
    public const int Smallest = 64;
#else
    /// <summary>The smallest size, in bytes.</summary>
    public const int Smallest = 4 * 1024;
#endif

    /// <summary>The second size: 16 KiB.</summary>
    public const int Medium = Smallest * 4;

    /// <summary>The third size: 64 KiB.</summary>
    public const int Large = Smallest * 16;

    /// <summary>The largest size: 256 KiB.</summary>
    public const int Largest = Smallest * 64;

    private const int Classes = 4;

    /// <summary>Limits the large buffers of all connections together to 64 MiB.</summary>
    public static readonly BufferBudget Budget = new(Large * 1024L);

    [ThreadStatic]
    private static Cache[]? t_caches;

    private static readonly ConcurrentQueue<byte[]>[] Reserve = [new(), new(), new(), new()];

    /// <summary>
    /// How many buffers of each size the thread of an event loop caches at most. They add up to 1 MiB of the smallest size, and 512 KiB of each other size.
    /// Other threads cache fewer, see <see cref="ThreadShare"/>.
    /// </summary>
    private static ReadOnlySpan<int> MaxCached => [256, 32, 8, 2];

    /// <summary>How many buffers of each size the reserve holds at most. They add up to 8 MiB of the smallest size, and 2 MiB of each other size.</summary>
    private static ReadOnlySpan<int> MaxReserved => [2048, 128, 32, 8];

    /// <summary>Rents a buffer of at least <paramref name="length"/> bytes.</summary>
    public static byte[] Rent(int length)
    {
        int size = ClassOf(length);
        byte[] rented = size == Classes ? Make(length)
            : Caches[size].TryPop() ?? (Reserve[size].TryDequeue(out byte[]? reserved) ? reserved : Make(SizeOf(size)));
        Budget.Take(rented.Length);
        return rented;
    }

    /// <summary>Returns a buffer, exactly once. It must not be used afterwards.</summary>
    public static void Return(byte[] buffer)
    {
        Poison(buffer);
        Budget.Give(buffer.Length);
        int size = ClassOf(buffer.Length);
        if (size < Classes && SizeOf(size) == buffer.Length && !Caches[size].TryPush(buffer) && Reserve[size].Count < MaxReserved[size])
        {
            Reserve[size].Enqueue(buffer);
        }
    }

    /// <summary>Empties the reserve. The caches of the threads are not changed.</summary>
    public static void Trim() => Array.ForEach(Reserve, static reserve => reserve.Clear());

    /// <summary>The largest size that a connection may choose now, given what all connections hold.</summary>
    public static int LargestNow => Budget.LargestNow;

    /// <summary>The next larger size, after a buffer was filled completely; at most <see cref="Largest"/>.</summary>
    public static int Larger(int length) => Math.Min(SizeOf(Math.Min(ClassOf(length), Classes - 1)) * 4, Largest);

    /// <summary>The next smaller size, after a buffer stayed mostly empty.</summary>
    public static int Smaller(int length) => Math.Max(length / 4, Smallest);

    private static Cache[] Caches => t_caches ??= MakeCaches();

    private static int ClassOf(int length) => length switch
    {
        <= Smallest => 0,
        <= Medium => 1,
        <= Large => 2,
        <= Largest => 3,
        _ => Classes,
    };

    private static int SizeOf(int size) => Smallest << (2 * size);

    private static byte[] Make(int length) => GC.AllocateUninitializedArray<byte>(length, pinned: true);

    /// <summary>In Debug, overwrites a returned buffer, so that later use is noticed.</summary>
    [Conditional("DEBUG")]
    private static void Poison(byte[] buffer) => buffer.AsSpan().Fill(0xDD);

    private static Cache[] MakeCaches()
    {
        var caches = new Cache[Classes];
        for (int size = 0; size < Classes; size++)
        {
            caches[size] = new Cache(ThreadShare.Of(MaxCached[size]));
        }

        return caches;
    }

    private sealed class Cache(int most)
    {
        private byte[]?[] _buffers = new byte[8][];
        private int _count;

        public byte[]? TryPop()
        {
            if (_count == 0)
            {
                return null;
            }

            byte[]? top = _buffers[--_count];
            _buffers[_count] = null;
            return top;
        }

        public bool TryPush(byte[] buffer)
        {
            Debug.Assert(!_buffers.AsSpan(0, _count).Contains(buffer), "A buffer is given back once.");
            if (_count == most)
            {
                return false;
            }

            if (_count == _buffers.Length)
            {
                Array.Resize(ref _buffers, Math.Min(_buffers.Length * 2, most));
            }

            _buffers[_count++] = buffer;
            return true;
        }
    }
}
