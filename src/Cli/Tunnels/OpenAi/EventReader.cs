using System.Buffers;

namespace McpProxyFast.Cli.Tunnels.OpenAi;

/// <summary>Reads the messages of an event stream (HTML §9.2.6).</summary>
/// <param name="response">The response; its head has been read.</param>
internal sealed class EventReader(McpResponse response)
{
    /// <summary>Largest event, 64 MiB like any MCP message.</summary>
    private const int MaxBytes = 64 * 1024 * 1024;

    private readonly byte[] _buffer = new byte[16 * 1024];

    /// <summary>The line that is being read.</summary>
    private readonly ArrayBufferWriter<byte> _line = new();

    /// <summary>Received bytes that are not parsed yet: a part of the buffer.</summary>
    private ReadOnlyMemory<byte> _rest;

    /// <summary>The data of the event that is being read.</summary>
    private ArrayBufferWriter<byte> _data = new();

    /// <summary>The last byte was a CR, so an LF that follows belongs to the same line end.</summary>
    private bool _afterReturn;

    /// <summary>The event has another name than <c>message</c>, so it is skipped.</summary>
    private bool _isOther;

    /// <summary>Reads the data of the next message event.</summary>
    /// <returns>Null at the end of the stream. An incomplete event is dropped.</returns>
    /// <exception cref="IOException">The stream was cut, or an event is too large.</exception>
    public async Task<ReadOnlyMemory<byte>?> ReadAsync(CancellationToken cancel)
    {
        while (true)
        {
            if (TryTake() is { } data)
            {
                return data;
            }

            int count = await response.ReadBodyAsync(_buffer, cancel);
            if (count == 0)
            {
                return null;
            }

            _rest = _buffer.AsMemory(0, count);
        }
    }

    private ReadOnlyMemory<byte>? TryTake()
    {
        while (!_rest.IsEmpty)
        {
            ReadOnlySpan<byte> bytes = _rest.Span;
            if (_afterReturn && bytes[0] == (byte)'\n')
            {
                (_rest, _afterReturn) = (_rest[1..], false);
                continue;
            }

            _afterReturn = false;
            int end = bytes.IndexOfAny((byte)'\r', (byte)'\n');
            ReadOnlySpan<byte> part = end < 0 ? bytes : bytes[..end];
            if (_line.WrittenCount + _data.WrittenCount + part.Length > MaxBytes)
            {
                throw new IOException("an event is too large");
            }

            _line.Write(part);
            if (end < 0)
            {
                _rest = default;
                return null;
            }

            _afterReturn = bytes[end] == (byte)'\r';
            _rest = _rest[(end + 1)..];
            if (EndLine() is { } whole)
            {
                return whole;
            }
        }

        return null;
    }

    private ReadOnlyMemory<byte>? EndLine()
    {
        ReadOnlySpan<byte> line = _line.WrittenSpan;
        if (line.IsEmpty)
        {
            (ArrayBufferWriter<byte> data, bool isOther) = (_data, _isOther);
            (_data, _isOther) = (new ArrayBufferWriter<byte>(), false);
            return data.WrittenCount > 0 && !isOther ? data.WrittenMemory : null;
        }

        int colon = line.IndexOf((byte)':');
        ReadOnlySpan<byte> name = colon < 0 ? line : line[..colon];
        ReadOnlySpan<byte> value = colon < 0 ? default : line[(colon + 1)..];
        value = value.StartsWith(" "u8) ? value[1..] : value;
        if (name.SequenceEqual("data"u8))
        {
            if (_data.WrittenCount > 0)
            {
                _data.Write("\n"u8);
            }

            _data.Write(value);
        }
        else if (name.SequenceEqual("event"u8))
        {
            _isOther = !value.IsEmpty && !value.SequenceEqual("message"u8);
        }

        _line.ResetWrittenCount();
        return null;
    }
}
