using System.Buffers;

namespace McpProxyFast.Engine.Tests.Support;

/// <summary>A sequence in several segments, as a host's pipe holds it.</summary>
internal static class Segments
{
    public static ReadOnlySequence<byte> Of(byte[][] pieces)
    {
        var first = new Segment(pieces[0], 0);
        Segment last = first;
        foreach (byte[] piece in pieces[1..])
        {
            last = last.Append(piece);
        }

        return new ReadOnlySequence<byte>(first, 0, last, last.Memory.Length);
    }

    private sealed class Segment : ReadOnlySequenceSegment<byte>
    {
        public Segment(byte[] bytes, long before)
        {
            Memory = bytes;
            RunningIndex = before;
        }

        public Segment Append(byte[] bytes)
        {
            var next = new Segment(bytes, RunningIndex + Memory.Length);
            Next = next;
            return next;
        }
    }
}
