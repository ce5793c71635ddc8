using System.Diagnostics;

namespace McpProxyFast.Transport;

/// <summary>Limits the memory of all large buffers together. The more memory they use, the smaller the largest buffer that a connection may choose.</summary>
/// <remarks>
/// If a peer does not read, the buffer with the bytes for it stays in use. One such buffer may be large; ten thousand may not. Only buffers of
/// <see cref="Buffers.Large"/> and more are counted, so small warm requests have no cost here. A buffer that must be large (for an incomplete head) is always
/// granted, even over the limit; the code that asks for it bounds its size.
/// </remarks>
/// <param name="bytes">The limit for all counted buffers together.</param>
internal sealed class BufferBudget(long bytes)
{
    /// <summary>The bytes of all counted buffers in use. Changed by interlocked operations.</summary>
    private long _taken;

    /// <summary>
    /// The largest size that a connection may choose now: 256 KiB while at most half of the budget is in use, then 64 KiB, and 16 KiB once more than the whole
    /// budget is in use.
    /// </summary>
    public int LargestNow
    {
        get
        {
            long taken = Taken;
            return taken <= bytes / 2 ? Buffers.Largest : taken <= bytes ? Buffers.Large : Buffers.Medium;
        }
    }

    /// <summary>The bytes of all counted buffers in use; 0 while no connection is open.</summary>
    public long Taken => Volatile.Read(ref _taken);

    /// <summary>Counts a rented buffer if it is large.</summary>
    public void Take(int length)
    {
        if (length >= Buffers.Large)
        {
            Interlocked.Add(ref _taken, length);
        }
    }

    /// <summary>Stops counting a returned buffer if it is large.</summary>
    public void Give(int length)
    {
        if (length >= Buffers.Large)
        {
            long left = Interlocked.Add(ref _taken, -length);
            Debug.Assert(left >= 0, "What is given back was rented.");
        }
    }
}
