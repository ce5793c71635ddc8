namespace McpProxyFast.Transport;

/// <summary>Receive and send buffers in four sizes, cached per thread: renting one is a few instructions, so an idle connection need not hold any.</summary>
/// <remarks>Pinned, so that a system call can be given their address. A full cache lets the garbage collector have the rest.</remarks>
internal static class Buffers
{
    /// <summary>The largest size, in bytes.</summary>
    public const int Largest = 256 * 1024;

    private const int Smallest = 4 * 1024;
    private const int Classes = 4;

    [ThreadStatic]
    private static Cache[]? t_caches;

    /// <summary>Most buffers of each size that one thread keeps: 2 MiB, 1 MiB, 1 MiB and 1 MiB.</summary>
    private static ReadOnlySpan<int> MostCached => [512, 64, 16, 4];

    /// <summary>Rents a buffer of at least <paramref name="length"/> bytes.</summary>
    public static byte[] Rent(int length)
    {
        int size = ClassOf(length);
        if (size == Classes)
        {
            return GC.AllocateUninitializedArray<byte>(length, pinned: true);
        }

        return Caches[size].TryPop() ?? GC.AllocateUninitializedArray<byte>(SizeOf(size), pinned: true);
    }

    public static void Return(byte[] buffer)
    {
        int size = ClassOf(buffer.Length);
        if (size < Classes && SizeOf(size) == buffer.Length)
        {
            Caches[size].TryPush(buffer);
        }
    }

    /// <summary>The next larger size after one that was filled to the brim; at most <see cref="Largest"/>.</summary>
    public static int Larger(int length) => Math.Min(SizeOf(Math.Min(ClassOf(length), Classes - 1)) * 4, Largest);

    /// <summary>The next smaller size after one that stayed mostly empty.</summary>
    public static int Smaller(int length) => Math.Max(length / 4, Smallest);

    private static Cache[] Caches => t_caches ??= MakeCaches();

    private static int ClassOf(int length) => length switch
    {
        <= Smallest => 0,
        <= Smallest * 4 => 1,
        <= Smallest * 16 => 2,
        <= Largest => 3,
        _ => Classes,
    };

    private static int SizeOf(int size) => Smallest << (2 * size);

    private static Cache[] MakeCaches()
    {
        var caches = new Cache[Classes];
        for (int size = 0; size < Classes; size++)
        {
            caches[size] = new Cache(MostCached[size]);
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

        public void TryPush(byte[] buffer)
        {
            if (_count == most)
            {
                return;
            }

            if (_count == _buffers.Length)
            {
                Array.Resize(ref _buffers, Math.Min(_buffers.Length * 2, most));
            }

            _buffers[_count++] = buffer;
        }
    }
}
