using System.Collections.Concurrent;

namespace McpProxyFast.Bridge;

/// <summary>A pool of the arrays that hold large messages. A large answer can use the arrays of its large request again, which saves memory.</summary>
internal static class MessagePieces
{
    /// <summary>The length of a piece in bytes. It is below the size from which the runtime treats an array as a large object.</summary>
    public const int Length = 64 * 1024;

    /// <summary>The maximum number of unused pieces in the pool (32 MiB). Further ones are left to the garbage collector.</summary>
    private const int MaxKept = 512;

    private static readonly ConcurrentQueue<byte[]> Kept = new();

    public static byte[] Rent() => Kept.TryDequeue(out byte[]? kept) ? kept : GC.AllocateUninitializedArray<byte>(Length);

    /// <summary>Returns a piece to the pool. Each rented piece may be returned only once.</summary>
    public static void Return(byte[] piece)
    {
        if (Kept.Count < MaxKept)
        {
            Kept.Enqueue(piece);
        }
    }

    /// <summary>Empties the pool. Called when a client's last unfinished message has ended.</summary>
    public static void Trim()
    {
        if (!Kept.IsEmpty)
        {
            Kept.Clear(); // Clear allocates, even if the queue is empty
        }
    }
}
