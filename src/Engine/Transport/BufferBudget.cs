using System.Diagnostics;

namespace McpProxyFast.Transport;

/// <summary>Limits the memory of all large buffers together. The more is in use, the smaller the largest buffer that a connection may choose.</summary>
/// <remarks>
/// If a peer does not read, the other side's receive buffer stays in use. One such buffer may be large; ten thousand may not. Only buffers of
/// <see cref="Buffers.Large"/> and more are counted, so small warm requests have no cost here. A buffer that must be large (for an incomplete head) is always
/// granted; the code that asks for it bounds its size.
/// </remarks>
/// <param name="bytes">The limit for all together.</param>
internal sealed class BufferBudget(long bytes)
{
    /// <summary>The bytes of all counted buffers in use. Changed by interlocked operations.</summary>
    private long _taken;

    /// <summary>The largest size to choose now: any size up to half of the budget, 64 KiB up to the whole budget, 16 KiB beyond it.</summary>
    public int LargestNow
    {
        get
        {
            long taken = Taken;
            return taken <= bytes / 2 ? Buffers.Largest : taken <= bytes ? Buffers.Large : Buffers.Medium;
        }
    }

    /// <summary>The bytes of all counted buffers in use: none if there is no connection.</summary>
    public long Taken => Volatile.Read(ref _taken);

    /// <summary>Counts a rented buffer.</summary>
    public void Take(int length)
    {
        if (length >= Buffers.Large)
        {
            Interlocked.Add(ref _taken, length);
        }
    }

    /// <summary>Stops counting a returned buffer.</summary>
    public void Give(int length)
    {
        if (length >= Buffers.Large)
        {
            long left = Interlocked.Add(ref _taken, -length);
            Debug.Assert(left >= 0, "What is given back was rented.");
        }
    }
}
