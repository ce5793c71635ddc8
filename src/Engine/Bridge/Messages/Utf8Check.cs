using System.Buffers;
using System.Diagnostics;
using System.Text.Unicode;

namespace McpProxyFast.Bridge.Messages;

/// <summary>Checks whether bytes are valid UTF-8, also if a character is split over two pieces.</summary>
internal static class Utf8Check
{
    /// <summary>The byte order mark in UTF-8.</summary>
    private static ReadOnlySpan<byte> Mark => [0xEF, 0xBB, 0xBF];

    /// <summary>Whether the bytes are valid UTF-8 from start to end.</summary>
    public static bool IsValid(in ReadOnlySequence<byte> bytes)
    {
        if (bytes.IsSingleSegment)
        {
            return Utf8.IsValid(bytes.FirstSpan);
        }

        Span<byte> character = stackalloc byte[4]; // the first bytes of a character that is split over pieces
        int held = 0;
        foreach (ReadOnlyMemory<byte> piece in bytes)
        {
            ReadOnlySpan<byte> rest = piece.Span;
            while (held > 0 && !rest.IsEmpty)
            {
                character[held++] = rest[0];
                rest = rest[1..];
                if (held == LengthBy(character[0]))
                {
                    if (!Utf8.IsValid(character[..held]))
                    {
                        return false;
                    }

                    held = 0;
                }
            }

            if (rest.IsEmpty)
            {
                continue;
            }

            int open = OpenAtEnd(rest);
            if (!Utf8.IsValid(rest[..^open]))
            {
                return false;
            }

            rest[^open..].CopyTo(character);
            held = open;
        }

        return held == 0;
    }

    /// <summary>Returns the bytes without a byte order mark at the start (RFC 8259 §8.1: a parser may ignore it, and the official MCP clients do).</summary>
    public static ReadOnlySequence<byte> BehindMark(in ReadOnlySequence<byte> bytes)
    {
        Span<byte> start = stackalloc byte[3];
        if (bytes.Length < start.Length)
        {
            return bytes;
        }

        bytes.Slice(0, start.Length).CopyTo(start);
        return start.SequenceEqual(Mark) ? bytes.Slice(start.Length) : bytes;
    }

    /// <summary>Returns how many bytes at the end of a piece belong to a character that continues in the next piece.</summary>
    private static int OpenAtEnd(ReadOnlySpan<byte> piece)
    {
        for (int back = 1; back <= Math.Min(3, piece.Length); back++)
        {
            byte value = piece[^back];
            if ((value & 0xC0) != 0x80)
            {
                return LengthBy(value) > back ? back : 0;
            }
        }

        return 0;
    }

    /// <summary>Returns the length of a character in bytes, from its first byte; 1 if no character starts with that byte.</summary>
    private static int LengthBy(byte first)
    {
        int length = first switch
        {
            >= 0xC2 and <= 0xDF => 2,
            >= 0xE0 and <= 0xEF => 3,
            >= 0xF0 and <= 0xF4 => 4,
            _ => 1,
        };
        Debug.Assert(length is >= 1 and <= 4, "RFC 3629: a character has at most four bytes.");
        return length;
    }
}
