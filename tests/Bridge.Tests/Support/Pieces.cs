using System.Buffers;
using System.Text;

namespace McpProxyFast.Bridge.Tests.Support;

/// <summary>Messages in pieces, as a pipe holds them.</summary>
internal static class Pieces
{
    /// <summary>A message in one piece.</summary>
    public static ReadOnlySequence<byte> Of(string json) => new(Encoding.UTF8.GetBytes(json));

    /// <summary>A message whole, cut at every byte, and one byte a piece.</summary>
    public static IEnumerable<ReadOnlySequence<byte>> Everywhere(string json)
    {
        byte[] bytes = Encoding.UTF8.GetBytes(json);
        yield return new ReadOnlySequence<byte>(bytes);
        for (int cut = 1; cut < bytes.Length; cut++)
        {
            yield return Join(bytes[..cut], bytes[cut..]);
        }

        if (bytes.Length > 0)
        {
            yield return Join([.. bytes.Select(single => new[] { single })]);
        }
    }

    /// <summary>The text of a message.</summary>
    public static string Text(this in ReadOnlySequence<byte> message) => Encoding.UTF8.GetString(message);

    /// <summary>Pieces, one behind the other.</summary>
    public static ReadOnlySequence<byte> Join(params byte[][] pieces)
    {
        var first = new Piece(pieces[0], 0);
        Piece last = first;
        foreach (byte[] piece in pieces[1..])
        {
            last = last.Append(piece);
        }

        return new ReadOnlySequence<byte>(first, 0, last, last.Memory.Length);
    }

    private sealed class Piece : ReadOnlySequenceSegment<byte>
    {
        public Piece(byte[] bytes, long before)
        {
            Memory = bytes;
            RunningIndex = before;
        }

        public Piece Append(byte[] bytes)
        {
            var next = new Piece(bytes, RunningIndex + Memory.Length);
            Next = next;
            return next;
        }
    }
}
