using System.Diagnostics;

namespace McpProxyFast.Transport;

/// <summary>Bounds what all large buffers take together: the more is taken, the smaller is the largest buffer that a connection may choose.</summary>
/// <remarks>
/// A peer that does not read holds up one receive buffer of the other side. Alone it may be large; ten thousand of them may not. Only buffers of
/// <see cref="Buffers.Large"/> and more are counted, so what is warm and small costs nothing here.
/// Buffers that must be large (a head that is not whole yet) are
/// given in any case; their number of bytes is bounded where they are asked for.
/// </remarks>
/// <param name="bytes">For all together.</param>
internal sealed class BufferBudget(long bytes)
{
    /// <summary>Bytes in buffers that are counted and rented now. Interlocked.</summary>
    private long _taken;

    /// <summary>The largest size to choose now: any up to half of the budget, 64 KiB up to the whole, 16 KiB beyond.</summary>
    public int LargestNow
    {
        get
        {
            long taken = Volatile.Read(ref _taken);
            return taken <= bytes / 2 ? Buffers.Largest : taken <= bytes ? Buffers.Large : Buffers.Medium;
        }
    }

    /// <summary>A buffer is rented.</summary>
    public void Take(int length)
    {
        if (length >= Buffers.Large)
        {
            Interlocked.Add(ref _taken, length);
        }
    }

    /// <summary>A buffer is given back.</summary>
    public void Give(int length)
    {
        if (length >= Buffers.Large)
        {
            long left = Interlocked.Add(ref _taken, -length);
            Debug.Assert(left >= 0, "What is given back was rented.");
        }
    }
}
