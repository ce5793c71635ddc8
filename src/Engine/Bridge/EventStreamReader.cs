using System.Buffers;
using System.Buffers.Text;
using System.Diagnostics;
using System.Text;
using McpProxyFast.Bridge.Messages;

namespace McpProxyFast.Bridge;

/// <summary>Reads a stream of server-sent events (HTML §9.2.6). The data of one event may be as large as <see cref="BridgeLimits.MaxMessageBytes"/>.</summary>
/// <param name="stream">The body of the response.</param>
/// <param name="bound">Bounds the memory that events take while they are read.</param>
internal sealed class EventStreamReader(Stream stream, IMessageBound bound) : IDisposable
{
    private const int ReadBytes = 16 * 1024;

    /// <summary>The maximum length of a field's name, and of an event's name, id and retry time, in bytes. A longer one is ignored.</summary>
    private const int MaxShortValue = 4 * 1024;

    private readonly byte[] _buffer = ArrayPool<byte>.Shared.Rent(ReadBytes);

    /// <summary>
    /// From the line that is being read: first the field's name, then its value. The value of a data line goes to <see cref="_data"/> instead. Bytes beyond
    /// <see cref="MaxShortValue"/> + 1 are dropped.
    /// </summary>
    private readonly ArrayBufferWriter<byte> _short = new(64);

    /// <summary>The bytes that have been received and not parsed yet: a part of <see cref="_buffer"/>.</summary>
    private Memory<byte> _rest;

    /// <summary>Which part of a line comes next.</summary>
    private LinePart _part = LinePart.FirstName;

    /// <summary>Which field the line sets; valid once the field's name has been read.</summary>
    private Field _field;

    /// <summary>Whether the last byte was a CR. An LF that follows belongs to the same line end.</summary>
    private bool _afterCarriageReturn;

    /// <summary>The data of the event that is being read.</summary>
    private MessageBuffer _data = new();

    /// <summary>Whether the current event already has a data line.</summary>
    private bool _hasData;

    /// <summary>
    /// Reads the data of the current event, which is larger than <see cref="BridgeLimits.MaxMessageBytes"/> and is dropped; null if the data is not too large.
    /// </summary>
    private IdSearch? _dropped;

    /// <summary>The name of the current event; null if it has none.</summary>
    private string? _name;

    /// <summary>The id that was read last, which becomes <see cref="LastId"/> at the end of its event; null if there was none, or it was empty.</summary>
    private string? _nextId;

    private enum LinePart
    {
        /// <summary>The start of the stream, or the rest of its first name.</summary>
        FirstName,
        Start,
        Name,
        ValueStart,
        Value,
    }

    private enum Field
    {
        Ignored,
        Data,
        Event,
        Id,
        Retry,
    }

    /// <summary>The id of the last complete event that had one; null if no event had an id, or an empty id has come since.</summary>
    public string? LastId { get; private set; }

    /// <summary>How long the server wants the client to wait before it opens the stream again; null if the server has not said it.</summary>
    public TimeSpan? Retry { get; private set; }

    /// <summary>Reads the next event that has data.</summary>
    /// <returns>The event; null at the end of the stream. An incomplete event at the end is dropped.</returns>
    /// <exception cref="IOException">The connection was lost, or a stalled event was given up.</exception>
    public async ValueTask<ServerEvent?> ReadAsync(CancellationToken cancellationToken)
    {
        while (true)
        {
            if (TryParse())
            {
                return Take();
            }

            await bound.TakeTurnAsync(_data, cancellationToken).ConfigureAwait(false);
            int count = await ReceiveAsync(cancellationToken).ConfigureAwait(false);
            if (count == 0)
            {
                return null;
            }

            _rest = _buffer.AsMemory(0, count);
            if (_data.Length + count > LargeMessages.Medium)
            {
                await PoolThread.EnterForLarge();
            }
        }
    }

    public void Dispose()
    {
        _data.Dispose();
        ArrayPool<byte>.Shared.Return(_buffer);
    }

    private async ValueTask<int> ReceiveAsync(CancellationToken cancellationToken)
    {
        try
        {
            return await bound.ReadAsync(stream, _buffer.AsMemory(0, ReadBytes), _data, cancellationToken).ConfigureAwait(false);
        }
        catch (HttpRequestException cut)
        {
            throw new IOException(cut.Message, cut);
        }
    }

    private ServerEvent Take()
    {
        var taken = new ServerEvent(_name ?? "message", _data, _dropped is not null, _dropped?.AnswerId);
        (_data, _hasData, _dropped, _name) = (new MessageBuffer(), false, null, null);
        return taken;
    }

    /// <summary>Parses the received bytes, up to the end of the first event with data.</summary>
    private bool TryParse()
    {
        while (!_rest.IsEmpty)
        {
            ReadOnlySpan<byte> bytes = _rest.Span;
            if (_afterCarriageReturn)
            {
                _afterCarriageReturn = false;
                if (bytes[0] == (byte)'\n')
                {
                    _rest = _rest[1..];
                    continue;
                }
            }

            int end = bytes.IndexOfAny((byte)'\r', (byte)'\n');
            TakePart(end < 0 ? bytes : bytes[..end]);
            if (end < 0)
            {
                _rest = default;
                return false;
            }

            _afterCarriageReturn = bytes[end] == (byte)'\r';
            _rest = _rest[(end + 1)..];
            if (EndLine())
            {
                return true;
            }
        }

        return false;
    }

    /// <summary>Parses a part of a line: the field's name, its value, or both.</summary>
    private void TakePart(ReadOnlySpan<byte> part)
    {
        if (part.IsEmpty)
        {
            return;
        }

        if (_part is LinePart.FirstName or LinePart.Start or LinePart.Name)
        {
            _part = _part is LinePart.FirstName ? LinePart.FirstName : LinePart.Name;
            int colon = part.IndexOf((byte)':');
            AddShort(colon < 0 ? part : part[..colon]);
            if (colon < 0)
            {
                return;
            }

            BeginValue();
            part = part[(colon + 1)..];
        }

        if (_part is LinePart.ValueStart && !part.IsEmpty)
        {
            _part = LinePart.Value;
            part = part[0] == (byte)' ' ? part[1..] : part;
        }

        if (_field is Field.Data)
        {
            AddData(part);
        }
        else if (_field is not Field.Ignored)
        {
            AddShort(part);
        }
    }

    private void BeginValue()
    {
        ReadOnlySpan<byte> name = _short.WrittenSpan;
        if (_part is LinePart.FirstName && name.StartsWith((ReadOnlySpan<byte>)[0xEF, 0xBB, 0xBF]))
        {
            name = name[3..]; // a byte order mark, which may begin the stream
        }

        _field = name.SequenceEqual("data"u8) ? Field.Data
            : name.SequenceEqual("event"u8) ? Field.Event
            : name.SequenceEqual("id"u8) ? Field.Id
            : name.SequenceEqual("retry"u8) ? Field.Retry
            : Field.Ignored;
        _short.ResetWrittenCount();
        _part = LinePart.ValueStart;
        if (_field is Field.Data)
        {
            if (_hasData)
            {
                AddData("\n"u8);
            }

            _hasData = true;
        }
    }

    /// <summary>Handles the end of a line: sets the line's field, or ends the event if the line is empty.</summary>
    /// <returns>Whether an event with data has ended.</returns>
    private bool EndLine()
    {
        if (_part is LinePart.Start)
        {
            LastId = _nextId ?? LastId;
            bool isEvent = _data.Length > 0 || _dropped is not null;
            if (!isEvent)
            {
                (_name, _hasData) = (null, false);
            }

            return isEvent;
        }

        if (_part is LinePart.FirstName or LinePart.Name)
        {
            BeginValue(); // a field without a colon has no value
        }

        TakeShort(_field, _short.WrittenSpan);
        _short.ResetWrittenCount();
        _part = LinePart.Start;
        return false;
    }

    private void TakeShort(Field field, ReadOnlySpan<byte> value)
    {
        if (value.Length > MaxShortValue)
        {
            return;
        }

        switch (field)
        {
            case Field.Event:
                _name = value.IsEmpty ? null : Encoding.UTF8.GetString(value);
                break;

            // The id is sent back in the header Last-Event-ID, which must not have control characters.
            case Field.Id when !value.ContainsAnyInRange((byte)0, (byte)31) && !value.Contains((byte)127):
                _nextId = value.IsEmpty ? null : Encoding.UTF8.GetString(value);
                LastId = value.IsEmpty ? null : LastId;
                break;
            case Field.Retry when Utf8Parser.TryParse(value, out uint milliseconds, out int read) && read == value.Length:
                Retry = TimeSpan.FromMilliseconds(milliseconds);
                break;
            default:
                break;
        }
    }

    private void AddShort(ReadOnlySpan<byte> part)
    {
        int room = MaxShortValue + 1 - _short.WrittenCount;
        Debug.Assert(room >= 0, "Nothing is added beyond the bound.");
        _short.Write(part[..Math.Min(part.Length, room)]);
    }

    private void AddData(ReadOnlySpan<byte> part)
    {
        if (_dropped is null && _data.Length + part.Length > BridgeLimits.MaxMessageBytes)
        {
            _dropped = new IdSearch();
            _dropped.Add(_data.Bytes);
            _data.Clear();
        }

        if (_dropped is not null)
        {
            _dropped.Add(part);
            return;
        }

        _data.Add(part);
    }
}
