using System.Buffers;
using System.Diagnostics;
using System.Text.Json;

namespace McpProxyFast.Bridge.Messages;

/// <summary>One walk over a message, which fills its head.</summary>
internal ref struct HeadReader
{
    /// <summary>The message; the id is copied from it.</summary>
    private readonly ReadOnlySequence<byte> _message;

    /// <summary>What is filled.</summary>
    private readonly MessageHead _head;

    /// <summary>Stands on what was read last.</summary>
    private Utf8JsonReader _json;

    /// <summary>Members of the message that have been seen.</summary>
    private Members _seen;

    /// <summary><c>params.protocolVersion</c>, which counts for <c>initialize</c> alone.</summary>
    private string? _initializeVersion;

    /// <summary><c>params.name</c>.</summary>
    private string? _name;

    /// <summary><c>params.uri</c>.</summary>
    private string? _uri;

    /// <summary><c>params.taskId</c>.</summary>
    private string? _task;

    /// <summary><c>params.progressToken</c>, which counts for a progress notification alone.</summary>
    private MessageId? _reported;

    /// <param name="message">A message in UTF-8.</param>
    /// <param name="head">A new one.</param>
    public HeadReader(in ReadOnlySequence<byte> message, MessageHead head)
    {
        _message = message;
        _head = head;
        _json = new Utf8JsonReader(message, MessageScanner.Options);
    }

    /// <summary>What has been seen of a message, of its <c>params</c> and of their <c>_meta</c>: each at most once.</summary>
    [Flags]
    private enum Members
    {
        None = 0,
        Version = 1,
        Id = 1 << 1,
        Method = 1 << 2,
        Params = 1 << 3,
        Result = 1 << 4,
        Error = 1 << 5,
        NullId = 1 << 6,
        Name = 1 << 7,
        Uri = 1 << 8,
        InitializeVersion = 1 << 9,
        Meta = 1 << 10,
        ProgressToken = 1 << 11,
        CancelledId = 1 << 12,
        MetaVersion = 1 << 13,
        MetaProgressToken = 1 << 14,
        SubscriptionId = 1 << 15,
        TraceParent = 1 << 16,
        TraceState = 1 << 17,
        ResultType = 1 << 18,
        Code = 1 << 19,
        TaskId = 1 << 20,
    }

    /// <summary>Walks over the whole message.</summary>
    /// <exception cref="JsonException">It is not JSON.</exception>
    /// <exception cref="InvalidOperationException">A text that is needed is no text.</exception>
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

        bool hasMore = _json.Read(); // throws for anything but blanks
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
            Members member = NextMessageMember();
            if (member is not Members.None && !TryAdd(member))
            {
                return MessageFault.MemberTwice;
            }

            if (member is Members.None && IsKnownInAnotherCase())
            {
                return MessageFault.MemberTwice;
            }

            _json.Read();
            fault = ReadMember(member);
        }

        return fault;
    }

    private readonly Members NextMessageMember() =>
        _json.ValueTextEquals("jsonrpc"u8) ? Members.Version
        : _json.ValueTextEquals("id"u8) ? Members.Id
        : _json.ValueTextEquals("method"u8) ? Members.Method
        : _json.ValueTextEquals("params"u8) ? Members.Params
        : _json.ValueTextEquals("result"u8) ? Members.Result
        : _json.ValueTextEquals("error"u8) ? Members.Error
        : Members.None;

    /// <summary>Whether a reader that ignores case, as Go's does, would take a member for one that routing depends on.</summary>
    private readonly bool IsKnownInAnotherCase()
    {
        if (ValueLength > "jsonrpc".Length)
        {
            return false;
        }

        string name = _json.GetString()!;
        return name.ToUpperInvariant() is "JSONRPC" or "ID" or "METHOD" or "PARAMS" or "RESULT" or "ERROR";
    }

    private MessageFault ReadMember(Members member)
    {
        switch (member)
        {
            case Members.Version:
                return _json.TokenType is JsonTokenType.String && _json.ValueTextEquals("2.0"u8) ? MessageFault.None : MessageFault.NotVersion2;
            case Members.Id:
                return ReadId();
            case Members.Method:
                return ReadMethod();
            case Members.Params when _json.TokenType is JsonTokenType.StartObject:
                return ReadParams();
            case Members.Result when _json.TokenType is JsonTokenType.StartObject:
                return ReadResult();
            case Members.Error when _json.TokenType is JsonTokenType.StartObject:
                return ReadError();
            default:
                _json.Skip();
                return MessageFault.None;
        }
    }

    private MessageFault ReadId()
    {
        if (_json.TokenType is JsonTokenType.Null)
        {
            _seen |= Members.NullId;
            return MessageFault.None;
        }

        if (!MessageId.TryRead(ref _json, _message, out MessageId id))
        {
            return MessageFault.BadId;
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

    private MessageFault ReadParams()
    {
        while (_json.Read() && _json.TokenType is JsonTokenType.PropertyName)
        {
            Members member =
                _json.ValueTextEquals("name"u8) ? Members.Name
                : _json.ValueTextEquals("uri"u8) ? Members.Uri
                : _json.ValueTextEquals("_meta"u8) ? Members.Meta
                : _json.ValueTextEquals("progressToken"u8) ? Members.ProgressToken
                : _json.ValueTextEquals("requestId"u8) ? Members.CancelledId
                : _json.ValueTextEquals("protocolVersion"u8) ? Members.InitializeVersion
                : _json.ValueTextEquals("taskId"u8) ? Members.TaskId
                : Members.None;
            if (member is not Members.None && !TryAdd(member))
            {
                return MessageFault.MemberTwice;
            }

            _json.Read();
            if (member is Members.Meta && _json.TokenType is JsonTokenType.StartObject)
            {
                if (ReadMeta() is var fault and not MessageFault.None)
                {
                    return fault;
                }

                continue;
            }

            KeepParameter(member);
            _json.Skip();
        }

        return MessageFault.None;
    }

    private void KeepParameter(Members member)
    {
        switch (member)
        {
            case Members.Name:
                _name = ReadText();
                break;
            case Members.Uri:
                _uri = ReadText();
                break;
            case Members.InitializeVersion:
                _initializeVersion = ReadText();
                break;
            case Members.TaskId:
                _task = ReadText();
                break;
            case Members.ProgressToken:
                _reported = ReadToken();
                break;
            case Members.CancelledId:
                _head.CancelledId = ReadToken();
                break;
            default:
                break;
        }
    }

    private MessageFault ReadMeta()
    {
        while (_json.Read() && _json.TokenType is JsonTokenType.PropertyName)
        {
            Members member =
                _json.ValueTextEquals(MetaKeys.ProtocolVersion) ? Members.MetaVersion
                : _json.ValueTextEquals("progressToken"u8) ? Members.MetaProgressToken
                : _json.ValueTextEquals(MetaKeys.SubscriptionId) ? Members.SubscriptionId
                : _json.ValueTextEquals("traceparent"u8) ? Members.TraceParent
                : _json.ValueTextEquals("tracestate"u8) ? Members.TraceState
                : Members.None;
            if (member is not Members.None && !TryAdd(member))
            {
                return MessageFault.MemberTwice;
            }

            _json.Read();
            KeepMeta(member);
            _json.Skip();
        }

        return MessageFault.None;
    }

    private void KeepMeta(Members member)
    {
        switch (member)
        {
            case Members.MetaVersion:
                _head.ProtocolVersion = ReadText();
                break;
            case Members.MetaProgressToken:
                _head.ProgressToken = ReadToken();
                break;
            case Members.SubscriptionId:
                _head.SubscriptionId = ReadToken();
                break;
            case Members.TraceParent:
                _head.TraceParent = ReadText();
                break;
            case Members.TraceState:
                _head.TraceState = ReadText();
                break;
            default:
                break;
        }
    }

    private MessageFault ReadResult()
    {
        while (_json.Read() && _json.TokenType is JsonTokenType.PropertyName)
        {
            bool isType = _json.ValueTextEquals("resultType"u8);
            if (isType && !TryAdd(Members.ResultType))
            {
                return MessageFault.MemberTwice;
            }

            _json.Read();
            _head.ResultType = isType ? ReadText() : _head.ResultType;
            _json.Skip();
        }

        return MessageFault.None;
    }

    private MessageFault ReadError()
    {
        while (_json.Read() && _json.TokenType is JsonTokenType.PropertyName)
        {
            bool isCode = _json.ValueTextEquals("code"u8);
            if (isCode && !TryAdd(Members.Code))
            {
                return MessageFault.MemberTwice;
            }

            _json.Read();
            _head.ErrorCode = isCode && _json.TokenType is JsonTokenType.Number && _json.TryGetInt32(out int code) ? code : _head.ErrorCode;
            _json.Skip();
        }

        return MessageFault.None;
    }

    /// <summary>Says what the message is, by the members that it has.</summary>
    private readonly MessageFault Conclude()
    {
        if (!Has(Members.Version))
        {
            return MessageFault.NotVersion2;
        }

        bool isCall = Has(Members.Method);
        if ((isCall ? 1 : 0) + (Has(Members.Result) ? 1 : 0) + (Has(Members.Error) ? 1 : 0) != 1)
        {
            return MessageFault.NeitherRequestNorResponse;
        }

        // MCP: a request's id is not null. An error answers what could not be read, and then has none.
        if (!Has(Members.Error) && (Has(Members.NullId) || (!isCall && _head.Id is null)))
        {
            return MessageFault.BadId;
        }

        _head.Kind = isCall ? (_head.Id is null ? MessageKind.Notification : MessageKind.Request)
            : Has(Members.Result) ? MessageKind.Response
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

    private readonly bool Has(Members member) => (_seen & member) != 0;

    private bool TryAdd(Members member)
    {
        bool isNew = !Has(member);
        _seen |= member;
        return isNew;
    }
}
