using System.Buffers;
using System.Text.Json;

namespace McpProxyFast.Bridge.Messages;

/// <summary>Finds the id of a refused request whose bytes are read but not kept. The bytes may come in pieces of any size.</summary>
/// <remarks>
/// The id may come before the params or after them. For an answer no id is returned: it has the id of a request that the server made, and an error with that id
/// could end a request of the client that happens to have the same id.
/// </remarks>
internal sealed class IdSearch
{
    /// <summary>The maximum number of bytes of a name or an id that are kept: one more than an id may have, so that a longer one is noticed.</summary>
    private const int MaxKept = MessageScanner.MaxTextBytes + 1;

    private static readonly SearchValues<byte> Structure = SearchValues.Create("\"{}[],:"u8);

    /// <summary>The name or the id that is being read, at most <see cref="MaxKept"/> bytes of it. Valid while <see cref="IsKept"/> is true.</summary>
    private readonly ArrayBufferWriter<byte> _kept = new(64);

    /// <summary>How many objects and arrays have begun and not ended.</summary>
    private int _depth;

    /// <summary>Whether the next byte is inside a string.</summary>
    private bool _isInString;

    /// <summary>Whether the next byte follows a backslash; valid inside a string.</summary>
    private bool _isEscaped;

    /// <summary>Whether a member's name comes next, or is being read; valid at depth 1.</summary>
    private bool _isName;

    /// <summary>Whether the value that is being read is that of the member <c>id</c>; valid at depth 1 while no name is read.</summary>
    private bool _isOfId;

    /// <summary>Whether the name that was read last is <c>id</c>.</summary>
    private bool _isIdNext;

    /// <summary>Whether no id is returned: the message has a member that only answers have, or another id after a valid one, or is a batch.</summary>
    private bool _isRefused;

    /// <summary>The raw JSON of the id; null if it has not come yet, or is not a valid id.</summary>
    private byte[]? _id;

    /// <summary>The raw JSON of the id that was found; empty if there is none.</summary>
    public ReadOnlyMemory<byte> Id => _isRefused ? default : _id;

    private bool IsKept => _depth == 1 && (_isName || _isOfId);

    /// <summary>Reads the next bytes of the message.</summary>
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

    /// <summary>Called when a name or a value begins. Only names and values at depth 1 matter.</summary>
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
            _isIdNext = false; // the name is too long to be id, result or error, or it is not valid Unicode
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
