using System.Collections.Concurrent;

namespace McpProxyFast.Bridge;

/// <summary>The pieces that large messages lie in: what a request gives back its answer takes, so that a large one each way is held once.</summary>
internal static class MessagePieces
{
    /// <summary>How long a piece is; below the size from which arrays count as large objects.</summary>
    public const int Length = 64 * 1024;

    /// <summary>Most pieces that are kept: 32 MiB, and only while messages are under way.</summary>
    private const int MaxKept = 512;

    private static readonly ConcurrentQueue<byte[]> Kept = new();

    public static byte[] Rent() => Kept.TryDequeue(out byte[]? kept) ? kept : GC.AllocateUninitializedArray<byte>(Length);

    /// <summary>Gives a piece back, once.</summary>
    public static void Return(byte[] piece)
    {
        if (Kept.Count < MaxKept)
        {
            Kept.Enqueue(piece);
        }
    }

    /// <summary>Drops all kept pieces. Called when no message is under way.</summary>
    public static void Trim()
    {
        if (!Kept.IsEmpty)
        {
            Kept.Clear(); // even an empty queue is made anew by this
        }
    }
}
