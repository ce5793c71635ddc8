using System.Buffers;
using System.Diagnostics;
using System.Text.Json;

namespace McpProxyFast.Bridge.Messages;

/// <summary>Reads a message once, from its first token to its last, and fills its head.</summary>
internal ref struct HeadReader
{
    /// <summary>The message. The bytes of its id are copied from it.</summary>
    private readonly ReadOnlySequence<byte> _message;

    /// <summary>The head that is filled.</summary>
    private readonly RpcHead _head;

    /// <summary>The JSON reader, positioned on the token that was read last.</summary>
    private Utf8JsonReader _json;

    /// <summary>The members that have been seen so far, so that a second one is noticed.</summary>
    private HeadMembers _seen;

    /// <summary>The value of <c>params.protocolVersion</c>, used only for <c>initialize</c>; null if it is missing, not a string, or too long.</summary>
    private string? _initializeVersion;

    /// <summary>The value of <c>params.name</c>; null if it is missing, not a string, or too long.</summary>
    private string? _name;

    /// <summary>The value of <c>params.uri</c>; null if it is missing, not a string, or too long.</summary>
    private string? _uri;

    /// <summary>The value of <c>params.taskId</c>; null if it is missing, not a string, or too long.</summary>
    private string? _task;

    /// <summary>The value of <c>params.progressToken</c>, used only for progress notifications; null if it is missing or not valid.</summary>
    private MessageId? _reported;

    /// <param name="message">A message in UTF-8.</param>
    /// <param name="head">A new head, which is filled.</param>
    public HeadReader(in ReadOnlySequence<byte> message, RpcHead head)
    {
        _message = message;
        _head = head;
        _json = new Utf8JsonReader(message, MessageScanner.Options);
    }

    /// <summary>Reads the whole message. Returns why it is not valid, or <see cref="MessageFault.None"/>.</summary>
    /// <exception cref="JsonException">The message is not JSON.</exception>
    /// <exception cref="InvalidOperationException">A string that is needed is not valid Unicode.</exception>
    public MessageFault Read()
    {
        _json.Read();
        MessageFault fault = _json.TokenType switch
        {
            JsonTokenType.StartObject => ReadMessage(),
            JsonTokenType.StartArray => ReadBatch(),
            _ => MessageFault.NotAnObject,
        };
        if (fault is not MessageFault.None)
        {
            return fault;
        }

        bool hasMore = _json.Read(); // throws unless only whitespace follows
        Debug.Assert(!hasMore, "The message has ended.");
        return _head.Kind is MessageKind.Batch ? MessageFault.None : Conclude();
    }

    private MessageFault ReadBatch()
    {
        _head.Kind = MessageKind.Batch;
        _json.Read();
        if (_json.TokenType is JsonTokenType.EndArray)
        {
            return MessageFault.EmptyBatch;
        }

        while (_json.TokenType is not JsonTokenType.EndArray)
        {
            _json.Skip();
            _json.Read();
        }

        return MessageFault.None;
    }

    private MessageFault ReadMessage()
    {
        MessageFault fault = MessageFault.None;
        while (fault is MessageFault.None && _json.Read() && _json.TokenType is JsonTokenType.PropertyName)
        {
            HeadMembers member = HeadMemberNames.OfMessage(ref _json);
            if (!TryAdd(member) || (member is HeadMembers.None && IsInAnotherCase()))
            {
                return MessageFault.MemberTwice;
            }

            _json.Read();
            fault = ReadMember(member);
        }

        return fault;
    }

    private readonly bool IsInAnotherCase() =>
        ValueLength <= HeadMemberNames.MaxBytes && HeadMemberNames.IsOfMessageInAnotherCase(ReadName(stackalloc char[HeadMemberNames.MaxBytes]));

    private readonly bool IsOfParamsInAnotherCase()
    {
        try
        {
            return ValueLength <= HeadMemberNames.MaxBytes && HeadMemberNames.IsOfParamsInAnotherCase(ReadName(stackalloc char[HeadMemberNames.MaxBytes]));
        }
        catch (InvalidOperationException)
        {
            return false; // half of a surrogate pair as an escape, which none of these names has
        }
    }

    /// <summary>Returns the name that the reader is at, with its escapes decoded.</summary>
    private readonly ReadOnlySpan<char> ReadName(Span<char> room) => room[.._json.CopyString(room)];

    private MessageFault ReadMember(HeadMembers member)
    {
        switch (member)
        {
            case HeadMembers.Version:
                return _json.TokenType is JsonTokenType.String && _json.ValueTextEquals("2.0"u8) ? MessageFault.None : MessageFault.NotVersion2;
            case HeadMembers.Id:
                return ReadId();
            case HeadMembers.Method:
                return ReadMethod();
            case HeadMembers.Params or HeadMembers.Result or HeadMembers.Error when _json.TokenType is JsonTokenType.StartObject:
                return ReadObject(member);
            default:
                _json.Skip();
                return MessageFault.None;
        }
    }

    /// <summary>Reads one object of the message: <c>params</c>, <c>_meta</c>, <c>result</c> or <c>error</c>.</summary>
    private MessageFault ReadObject(HeadMembers which)
    {
        while (_json.Read() && _json.TokenType is JsonTokenType.PropertyName)
        {
            HeadMembers member = which switch
            {
                HeadMembers.Params => HeadMemberNames.OfParams(ref _json),
                HeadMembers.Meta => HeadMemberNames.OfMeta(ref _json),
                HeadMembers.Result => HeadMemberNames.OfResult(ref _json),
                _ => HeadMemberNames.OfError(ref _json),
            };
            if (!TryAdd(member))
            {
                return MessageFault.MemberTwice;
            }

            if (member is HeadMembers.None && which is HeadMembers.Params && IsOfParamsInAnotherCase())
            {
                _seen |= HeadMembers.InAnotherCase;
            }

            _json.Read();
            if (member is HeadMembers.Meta && _json.TokenType is JsonTokenType.StartObject)
            {
                if (ReadObject(HeadMembers.Meta) is var fault and not MessageFault.None)
                {
                    return fault;
                }
            }
            else
            {
                Keep(member);
                _json.Skip();
            }
        }

        return MessageFault.None;
    }

    /// <summary>Stores the value that the reader is at, if it is one that the head needs.</summary>
    private void Keep(HeadMembers member)
    {
        switch (member)
        {
            case HeadMembers.Name:
                _name = ReadText();
                break;
            case HeadMembers.Uri:
                _uri = ReadText();
                break;
            case HeadMembers.TaskId:
                _task = ReadText();
                break;
            case HeadMembers.InitializeVersion:
                _initializeVersion = ReadText();
                break;
            case HeadMembers.ProgressToken:
                _reported = ReadToken();
                break;
            case HeadMembers.CancelledId:
                _head.CancelledId = ReadToken();
                break;
            case HeadMembers.MetaVersion:
                _head.ProtocolVersion = ReadText();
                break;
            case HeadMembers.MetaProgressToken:
                _head.ProgressToken = ReadToken();
                break;
            case HeadMembers.SubscriptionId:
                _head.SubscriptionId = ReadToken();
                break;
            case HeadMembers.TraceParent:
                _head.TraceParent = ReadText();
                break;
            case HeadMembers.TraceState:
                _head.TraceState = ReadText();
                break;
            case HeadMembers.ResultType:
                _head.ResultType = ReadText();
                break;
            case HeadMembers.Code:
                _head.ErrorCode = _json.TokenType is JsonTokenType.Number && _json.TryGetInt32(out int code) ? code : 0;
                break;
            default:
                break;
        }
    }

    private MessageFault ReadId()
    {
        if (_json.TokenType is JsonTokenType.Null)
        {
            _seen |= HeadMembers.NullId;
            return MessageFault.None;
        }

        if (!MessageId.TryRead(ref _json, _message, out MessageId id))
        {
            return _json.TokenType is not (JsonTokenType.String or JsonTokenType.Number) ? MessageFault.BadId
                : _json.BytesConsumed - _json.TokenStartIndex > MessageScanner.MaxTextBytes ? MessageFault.IdTooLong
                : MessageFault.IdOutOfRange;
        }

        _head.Id = id;
        return MessageFault.None;
    }

    private MessageFault ReadMethod()
    {
        if (_json.TokenType is not JsonTokenType.String || ValueLength is 0 or > MessageScanner.MaxTextBytes)
        {
            return MessageFault.BadMethod;
        }

        _head.Method = Methods.Read(ref _json);
        return MessageFault.None;
    }

    /// <summary>Decides from the members that have been seen what kind of message it is, and completes the head.</summary>
    private readonly MessageFault Conclude()
    {
        if (!Has(HeadMembers.Version))
        {
            return MessageFault.NotVersion2;
        }

        bool isCall = Has(HeadMembers.Method);
        if ((isCall ? 1 : 0) + (Has(HeadMembers.Result) ? 1 : 0) + (Has(HeadMembers.Error) ? 1 : 0) != 1)
        {
            return MessageFault.NeitherRequestNorResponse;
        }

        // In MCP a request's id must not be null. An error may have no id, if it answers a message that could not be read.
        if (!Has(HeadMembers.Error) && (Has(HeadMembers.NullId) || (!isCall && _head.Id is null)))
        {
            return MessageFault.BadId;
        }

        if (Has(HeadMembers.InAnotherCase) && Methods.IsNamed(_head.Method))
        {
            return MessageFault.MemberTwice;
        }

        _head.Kind = isCall ? (_head.Id is null ? MessageKind.Notification : MessageKind.Request)
            : Has(HeadMembers.Result) ? MessageKind.Response
            : MessageKind.ErrorResponse;
        _head.Name = _head.Method switch
        {
            Methods.ReadResource or Methods.Subscribe or Methods.Unsubscribe or Methods.ResourceUpdated => _uri,
            Methods.GetTask or Methods.UpdateTask or Methods.CancelTask => _task,
            _ => _name ?? _uri,
        };
        _head.ProtocolVersion = _head.Method is Methods.Initialize ? _initializeVersion : _head.ProtocolVersion;
        _head.ProgressToken = _head.Method is Methods.Progress ? _reported : _head.ProgressToken;
        return MessageFault.None;
    }

    private readonly string? ReadText() =>
        _json.TokenType is JsonTokenType.String && ValueLength <= MessageScanner.MaxTextBytes ? _json.GetString() : null;

    private MessageId? ReadToken() => MessageId.TryRead(ref _json, _message, out MessageId token) ? token : null;

    private readonly long ValueLength => _json.HasValueSequence ? _json.ValueSequence.Length : _json.ValueSpan.Length;

    private readonly bool Has(HeadMembers member) => (_seen & member) != 0;

    /// <summary>
    /// Records that a member has been seen. Returns false if it was seen before. For a member that the head does not need it always returns true.
    /// </summary>
    private bool TryAdd(HeadMembers member)
    {
        bool isNew = !Has(member);
        _seen |= member;
        return isNew;
    }
}
