using System.Buffers;
using System.Text.Json;

namespace McpProxyFast.Bridge.Messages;

/// <summary>Finds the id of a message whose bytes are read but not kept, since it is refused. The bytes may come in pieces of any size.</summary>
/// <remarks>
/// The id may stand anywhere in the message. A request and an answer with the same id have nothing to do with each other: an answer has the id of a request
/// that the other peer made. So their ids are kept apart.
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

    /// <summary>Whether the backslash before the next byte escapes it; valid inside a string.</summary>
    private bool _isEscaped;

    /// <summary>Whether a member's name comes next, or is being read; valid at depth 1.</summary>
    private bool _isName;

    /// <summary>Whether the value that is being read is that of the member <c>id</c>; valid at depth 1 while no name is read.</summary>
    private bool _isOfId;

    /// <summary>Whether the name that was read last is <c>id</c>.</summary>
    private bool _isIdNext;

    /// <summary>Whether the message has <c>result</c> or <c>error</c>, which only answers have.</summary>
    private bool _isAnswer;

    /// <summary>Whether the message has <c>method</c>, which no answer has.</summary>
    private bool _hasMethod;

    /// <summary>Whether the message has a member <c>id</c>.</summary>
    private bool _hasId;

    /// <summary>Whether no id is returned: the message has the id twice, or is a batch.</summary>
    private bool _isRefused;

    /// <summary>The id; null if it has not come yet, or is not a valid id.</summary>
    private MessageId? _id;

    /// <summary>The raw JSON of a request's id; empty if there is none, or the message is an answer.</summary>
    public ReadOnlyMemory<byte> Id => _isRefused || _isAnswer ? default : _id?.Raw ?? default;

    /// <summary>The id of an answer; null if there is none, or the message is not an answer.</summary>
    public MessageId? AnswerId => !_isRefused && _isAnswer && !_hasMethod ? _id : null;

    private bool IsKept => _depth == 1 && (_isName || _isOfId);

    /// <summary>Reads the next bytes of the message.</summary>
    public void Add(in ReadOnlySequence<byte> bytes)
    {
        foreach (ReadOnlyMemory<byte> piece in bytes)
        {
            Add(piece.Span);
        }
    }

    /// <inheritdoc cref="Add(in ReadOnlySequence{byte})"/>
    public void Add(ReadOnlySpan<byte> bytes)
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
            _isAnswer |= json.ValueTextEquals("result"u8) || json.ValueTextEquals("error"u8);
            _hasMethod |= json.ValueTextEquals("method"u8);
            _isRefused |= _isIdNext && _hasId;
            _hasId |= _isIdNext;
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
            _id = json.Read() && MessageId.TryRead(ref json, raw, out MessageId id) && !json.Read() ? id : null;
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
