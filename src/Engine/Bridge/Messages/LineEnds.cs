namespace McpProxyFast.Bridge.Messages;

/// <summary>Drops the line ends of pretty-printed JSON, which must not be within a message that is one line; bytes within strings stay.</summary>
/// <remarks>
/// It goes on where it stopped, in however small pieces the body comes. JSON has no raw line ends within strings (RFC 8259 §7), so a body that has one
/// is not JSON; it is left for the reader to find.
/// </remarks>
internal struct LineEnds
{
    /// <summary>Whether the last byte seen was within a string.</summary>
    private bool _isInString;

    /// <summary>Whether the last byte seen was a backslash within a string that escapes the next one.</summary>
    private bool _isEscaped;

    /// <summary>Drops the line ends of a piece, in place.</summary>
    /// <returns>How many bytes are left, at the piece's start.</returns>
    public int Drop(Span<byte> piece)
    {
        int kept = 0;
        int read = 0;
        while (read < piece.Length)
        {
            int run = NextRun(piece[read..]);
            if (kept != read)
            {
                piece.Slice(read, run).CopyTo(piece[kept..]);
            }

            kept += run;
            read += run;
            while (read < piece.Length && !_isInString && piece[read] is (byte)'\n' or (byte)'\r')
            {
                read++;
            }
        }

        return kept;
    }

    /// <summary>How many bytes stay, up to the next line end outside of a string.</summary>
    private int NextRun(ReadOnlySpan<byte> rest)
    {
        int at = 0;
        while (at < rest.Length)
        {
            if (_isEscaped)
            {
                _isEscaped = false;
                at++;
                continue;
            }

            int next = _isInString ? rest[at..].IndexOfAny((byte)'"', (byte)'\\') : rest[at..].IndexOfAny((byte)'"', (byte)'\n', (byte)'\r');
            if (next < 0)
            {
                return rest.Length;
            }

            at += next;
            if (rest[at] is (byte)'\n' or (byte)'\r')
            {
                return at;
            }

            _isEscaped = rest[at] == (byte)'\\';
            _isInString ^= rest[at] == (byte)'"';
            at++;
        }

        return at;
    }
}
