using System.Collections.Concurrent;
using System.Diagnostics;

namespace McpProxyFast.Transport;

/// <summary>Receive and send buffers in four sizes, cached per thread: renting one is a few instructions, so an idle connection need not hold any.</summary>
/// <remarks>
/// Pinned, so that a system call can be given their address. What a thread cannot keep goes to a shared reserve, which a burst draws on and
/// <see cref="Trim"/> gives back; beyond that, the garbage collector has it.
/// In Debug every size is a 64th, so that tests cross the boundaries of buffers.
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

    /// <summary>64 MiB for the large buffers of all connections.</summary>
    public static readonly BufferBudget Budget = new(Large * 1024L);

    [ThreadStatic]
    private static Cache[]? t_caches;

    private static readonly ConcurrentQueue<byte[]>[] Reserve = [new(), new(), new(), new()];

    /// <summary>Most buffers of each size that an event loop keeps: 1 MiB, 512 KiB, 512 KiB and 512 KiB. Other threads: <see cref="ThreadShare"/>.</summary>
    private static ReadOnlySpan<int> MostCached => [256, 32, 8, 2];

    /// <summary>Most buffers of each size in the reserve: 8 MiB, 2 MiB, 2 MiB and 2 MiB.</summary>
    private static ReadOnlySpan<int> MostReserved => [2048, 128, 32, 8];

    /// <summary>Rents a buffer of at least <paramref name="length"/> bytes.</summary>
    public static byte[] Rent(int length)
    {
        int size = ClassOf(length);
        byte[] rented = size == Classes ? Make(length)
            : Caches[size].TryPop() ?? (Reserve[size].TryDequeue(out byte[]? reserved) ? reserved : Make(SizeOf(size)));
        Budget.Take(rented.Length);
        return rented;
    }

    /// <summary>Gives a buffer back, once. Nobody else may use it any more.</summary>
    public static void Return(byte[] buffer)
    {
        Poison(buffer);
        Budget.Give(buffer.Length);
        int size = ClassOf(buffer.Length);
        if (size < Classes && SizeOf(size) == buffer.Length && !Caches[size].TryPush(buffer) && Reserve[size].Count < MostReserved[size])
        {
            Reserve[size].Enqueue(buffer);
        }
    }

    /// <summary>Empties the reserve. What the threads keep stays with them.</summary>
    public static void Trim() => Array.ForEach(Reserve, static reserve => reserve.Clear());

    /// <summary>The largest size that a connection takes by choice, now that others have taken theirs.</summary>
    public static int LargestNow => Budget.LargestNow;

    /// <summary>The next larger size after one that was filled to the brim; at most <see cref="Largest"/>.</summary>
    public static int Larger(int length) => Math.Min(SizeOf(Math.Min(ClassOf(length), Classes - 1)) * 4, Largest);

    /// <summary>The next smaller size after one that stayed mostly empty.</summary>
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

    /// <summary>In Debug, what is used after it was given back shows.</summary>
    [Conditional("DEBUG")]
    private static void Poison(byte[] buffer) => buffer.AsSpan().Fill(0xDD);

    private static Cache[] MakeCaches()
    {
        var caches = new Cache[Classes];
        for (int size = 0; size < Classes; size++)
        {
            caches[size] = new Cache(ThreadShare.Of(MostCached[size]));
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
