namespace McpProxyFast.EndToEnd.Wire;

/// <summary>Takes chunked framing off, in whatever pieces it arrives (RFC 9112 §7.1); trailer sections are an error.</summary>
internal struct ChunkedDecoder
{
    private State _state;
    private long _left;

    private enum State
    {
        Size,
        Data,
        DataEnd,
        LastLine,
        Over,
    }

    public readonly bool IsOver => _state is State.Over;

    /// <summary>Takes one step and says how many bytes it used.</summary>
    public int Take(ReadOnlySpan<byte> input, out ReadOnlySpan<byte> data)
    {
        data = default;
        switch (_state)
        {
            case State.Size:
                TakeSize(input[0]);
                return 1;
            case State.Data:
                data = input[..(int)Math.Min(input.Length, _left)];
                _left -= data.Length;
                _state = _left == 0 ? State.DataEnd : State.Data;
                return data.Length;
            case State.DataEnd:
                TakeLineEnd(input[0], State.Size);
                return 1;
            default:
                TakeLineEnd(input[0], State.Over);
                return 1;
        }
    }

    private void TakeSize(byte next)
    {
        if (char.IsAsciiHexDigit((char)next))
        {
            _left = (_left << 4) | (uint)HexValue(next);
            return;
        }

        TakeLineEnd(next, _left == 0 ? State.LastLine : State.Data);
    }

    private static int HexValue(byte digit) => digit <= '9' ? digit - '0' : (digit | 0x20) - 'a' + 10;

    private void TakeLineEnd(byte next, State after)
    {
        if (next == '\n')
        {
            _state = after;
        }
        else if (next != '\r')
        {
            throw new InvalidDataException($"Chunked framing is broken by byte 0x{next:X2}.");
        }
    }
}
