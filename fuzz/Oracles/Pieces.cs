using System.Buffers;

namespace McpProxyFast.Fuzz.Oracles;

/// <summary>Bytes in pieces, as a pipe holds them.</summary>
internal static class Pieces
{
    /// <summary>The bytes, cut once.</summary>
    public static ReadOnlySequence<byte> Cut(byte[] bytes, int at)
    {
        var first = new Piece(bytes.AsMemory(0, at), null);
        var last = new Piece(bytes.AsMemory(at), first);
        return new ReadOnlySequence<byte>(first, 0, last, last.Memory.Length);
    }

    /// <summary>The bytes, one a piece.</summary>
    public static ReadOnlySequence<byte> Single(byte[] bytes)
    {
        var first = new Piece(default, null);
        Piece last = first;
        for (int i = 0; i < bytes.Length; i++)
        {
            last = new Piece(bytes.AsMemory(i, 1), last);
        }

        return new ReadOnlySequence<byte>(first, 0, last, last.Memory.Length);
    }

    private sealed class Piece : ReadOnlySequenceSegment<byte>
    {
        public Piece(ReadOnlyMemory<byte> bytes, Piece? before)
        {
            Memory = bytes;
            RunningIndex = before is null ? 0 : before.RunningIndex + before.Memory.Length;
            before?.Next = this;
        }
    }
}
