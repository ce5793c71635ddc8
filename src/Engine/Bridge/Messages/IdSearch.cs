using System.Buffers;
using System.Text.Json;

namespace McpProxyFast.Bridge.Messages;

/// <summary>Looks for the id of a request that is read past and not held, in whatever pieces it comes.</summary>
/// <remarks>
/// Clients write the id before the params or behind them. An answer has the id of another's request, so to answer it with an error would end a
/// request that is not meant: it has none here.
/// </remarks>
internal sealed class IdSearch
{
    /// <summary>Most bytes of a name or an id that are kept: one more than an id may have, so that a longer one is seen.</summary>
    private const int MaxKept = MessageScanner.MaxTextBytes + 1;

    private static readonly SearchValues<byte> Structure = SearchValues.Create("\"{}[],:"u8);

    /// <summary>The name that is being read, or the value of the id; cut at <see cref="MaxKept"/>. Valid if <see cref="IsKept"/>.</summary>
    private readonly ArrayBufferWriter<byte> _kept = new(64);

    /// <summary>How many objects and arrays are open.</summary>
    private int _depth;

    /// <summary>The next byte is one of a string.</summary>
    private bool _isInString;

    /// <summary>The next byte follows a backslash; valid in a string.</summary>
    private bool _isEscaped;

    /// <summary>A member's name comes next, or is being read; valid at depth 1.</summary>
    private bool _isName;

    /// <summary>The value that is being read is the id's; valid at depth 1, where no name is read.</summary>
    private bool _isOfId;

    /// <summary>The name that was read last is the id's.</summary>
    private bool _isIdNext;

    /// <summary>It has a member that only answers have, or the id twice, or it is a batch: it is given no id.</summary>
    private bool _isRefused;

    /// <summary>The raw JSON of the id; null if it has not come yet, and if it is not a valid id.</summary>
    private byte[]? _id;

    /// <summary>The raw JSON of the id, if one was seen; empty otherwise.</summary>
    public ReadOnlyMemory<byte> Id => _isRefused ? default : _id;

    private bool IsKept => _depth == 1 && (_isName || _isOfId);

    /// <summary>Takes the next bytes of the message.</summary>
    public void Add(in ReadOnlySequence<byte> bytes)
    {
        foreach (ReadOnlyMemory<byte> piece in bytes)
        {
            Add(piece.Span);
        }
    }

    private void Add(ReadOnlySpan<byte> bytes)
    {
        while (!bytes.IsEmpty)
        {
            int end = _isEscaped ? 0 : _isInString ? bytes.IndexOfAny((byte)'"', (byte)'\\') : bytes.IndexOfAny(Structure);
            if (end < 0)
            {
                Keep(bytes);
                return;
            }

            byte last = bytes[end];
            if (_isInString)
            {
                Keep(bytes[..(end + 1)]);
                TakeOfString(last);
            }
            else
            {
                Keep(bytes[..end]);
                TakeStructure(last);
            }

            bytes = bytes[(end + 1)..];
        }
    }

    private void TakeOfString(byte last)
    {
        if (_isEscaped)
        {
            _isEscaped = false;
        }
        else if (last == (byte)'\\')
        {
            _isEscaped = true;
        }
        else
        {
            _isInString = false;
            if (_depth == 1 && _isName)
            {
                TakeName();
            }
        }
    }

    private void TakeStructure(byte sign)
    {
        switch (sign)
        {
            case (byte)'"':
                _isInString = true;
                Keep([sign]);
                break;
            case (byte)'{' or (byte)'[':
                _isRefused |= _depth == 0 && sign == (byte)'[';
                Begin(isName: ++_depth == 1);
                break;
            case (byte)'}' or (byte)']':
                EndValue();
                _depth--;
                break;
            case (byte)',' when _depth == 1:
                EndValue();
                Begin(isName: true);
                break;
            case (byte)':' when _depth == 1:
                Begin(isName: false);
                _isOfId = _isIdNext;
                break;
            default:
                break;
        }
    }

    /// <summary>A name, or a value, begins at depth 1; deeper ones are of no interest.</summary>
    private void Begin(bool isName)
    {
        if (_depth == 1)
        {
            (_isName, _isOfId) = (isName, false);
            _kept.ResetWrittenCount();
        }
    }

    private void TakeName()
    {
        try
        {
            var json = new Utf8JsonReader(_kept.WrittenSpan);
            json.Read();
            _isIdNext = json.ValueTextEquals("id"u8);
            _isRefused |= json.ValueTextEquals("result"u8) || json.ValueTextEquals("error"u8) || (_isIdNext && _id is not null);
        }
        catch (Exception odd) when (odd is JsonException or InvalidOperationException)
        {
            _isIdNext = false; // too long to be one that counts, or no text
        }
    }

    private void EndValue()
    {
        if (_depth != 1 || !_isOfId)
        {
            return;
        }

        _isOfId = false;
        try
        {
            var raw = new ReadOnlySequence<byte>(_kept.WrittenMemory);
            var json = new Utf8JsonReader(raw);
            _id = json.Read() && MessageId.TryRead(ref json, raw, out MessageId id) && !json.Read() ? id.Raw.ToArray() : null;
        }
        catch (Exception odd) when (odd is JsonException or InvalidOperationException)
        {
            _id = null;
        }
    }

    private void Keep(ReadOnlySpan<byte> bytes)
    {
        if (IsKept)
        {
            _kept.Write(bytes[..Math.Min(bytes.Length, MaxKept - _kept.WrittenCount)]);
        }
    }
}
