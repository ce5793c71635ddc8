using System.Buffers;

namespace McpProxyFast.Bridge.Messages;

/// <summary>Concatenates byte sequences without copying them.</summary>
internal static class JoinedBytes
{
    /// <summary>Concatenates parts. They must stay valid as long as the result is used.</summary>
    public static ReadOnlySequence<byte> Of(IEnumerable<ReadOnlySequence<byte>> parts)
    {
        Piece? first = null;
        Piece? last = null;
        foreach (ReadOnlySequence<byte> part in parts)
        {
            foreach (ReadOnlyMemory<byte> memory in part)
            {
                last = new Piece(memory, last);
                first ??= last;
            }
        }

        return first is null ? default : new ReadOnlySequence<byte>(first, 0, last!, last!.Memory.Length);
    }

    private sealed class Piece : ReadOnlySequenceSegment<byte>
    {
        public Piece(ReadOnlyMemory<byte> memory, Piece? previous)
        {
            Memory = memory;
            if (previous is not null)
            {
                RunningIndex = previous.RunningIndex + previous.Memory.Length;
                previous.Next = this;
            }
        }
    }
}
