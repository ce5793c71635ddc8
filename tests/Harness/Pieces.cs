using System.Buffers;
using System.Text;

namespace McpProxyFast.Harness;

/// <summary>Bytes in pieces, as a pipe holds them.</summary>
public static class Pieces
{
    /// <summary>A text in one piece, as UTF-8.</summary>
    public static ReadOnlySequence<byte> Of(string text) => new(Encoding.UTF8.GetBytes(text));

    /// <summary>Pieces, one behind the other.</summary>
    public static ReadOnlySequence<byte> Join(params byte[][] pieces) => Chain(pieces.Select(piece => new ReadOnlyMemory<byte>(piece)));

    /// <summary>Bytes, cut once.</summary>
    public static ReadOnlySequence<byte> Cut(byte[] bytes, int at) => Chain([bytes.AsMemory(0, at), bytes.AsMemory(at)]);

    /// <summary>Bytes, one a piece.</summary>
    public static ReadOnlySequence<byte> OneByOne(byte[] bytes) =>
        Chain(Enumerable.Range(0, bytes.Length).Select(index => (ReadOnlyMemory<byte>)bytes.AsMemory(index, 1)));

    /// <summary>Runs a check for a text, as UTF-8, in every <see cref="Split"/>. One that fails says for which.</summary>
    /// <exception cref="SplitFailedException">The first failure.</exception>
    public static void Everywhere(string text, Action<ReadOnlySequence<byte>> check) =>
        Split.Everywhere(Encoding.Latin1.GetString(Encoding.UTF8.GetBytes(text)), pieces => check(Join(pieces)));

    /// <summary>The text that the bytes are in UTF-8.</summary>
    public static string Text(this in ReadOnlySequence<byte> bytes) => Encoding.UTF8.GetString(bytes);

    private static ReadOnlySequence<byte> Chain(IEnumerable<ReadOnlyMemory<byte>> pieces)
    {
        Piece? first = null;
        Piece? last = null;
        foreach (ReadOnlyMemory<byte> piece in pieces)
        {
            last = new Piece(piece, last);
            first ??= last;
        }

        return first is null ? default : new ReadOnlySequence<byte>(first, 0, last!, last!.Memory.Length);
    }

    private sealed class Piece : ReadOnlySequenceSegment<byte>
    {
        public Piece(ReadOnlyMemory<byte> bytes, Piece? before)
        {
            Memory = bytes;
            if (before is not null)
            {
                RunningIndex = before.RunningIndex + before.Memory.Length;
                before.Next = this;
            }
        }
    }
}
