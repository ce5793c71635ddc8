using System.Collections.Concurrent;

namespace McpProxyFast.Bridge;

/// <summary>A pool of the arrays that hold large messages. A large answer reuses the arrays of its large request, so the memory is needed only once.</summary>
internal static class MessagePieces
{
    /// <summary>The length of a piece in bytes. It is below the size from which the runtime treats an array as a large object.</summary>
    public const int Length = 64 * 1024;

    /// <summary>The maximum number of pieces in the pool (32 MiB). The pool is emptied when no message is under way.</summary>
    private const int MaxKept = 512;

    private static readonly ConcurrentQueue<byte[]> Kept = new();

    public static byte[] Rent() => Kept.TryDequeue(out byte[]? kept) ? kept : GC.AllocateUninitializedArray<byte>(Length);

    /// <summary>Gives a piece back. Each rented piece may be given back only once.</summary>
    public static void Return(byte[] piece)
    {
        if (Kept.Count < MaxKept)
        {
            Kept.Enqueue(piece);
        }
    }

    /// <summary>Empties the pool. Called when no message is under way.</summary>
    public static void Trim()
    {
        if (!Kept.IsEmpty)
        {
            Kept.Clear(); // allocates, even if the queue is empty
        }
    }
}
