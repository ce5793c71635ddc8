using System.Buffers;
using System.Text.Json;
using McpProxyFast.Bridge.Messages;

namespace McpProxyFast.Bridge.Eras;

/// <summary>
/// Makes messages of revision 2026-07-28 for a client of an earlier one. Each has the client's name, its capabilities and the revision in its <c>_meta</c>.
/// </summary>
internal sealed class ModernMessages
{
    /// <summary>The client that the messages are made for.</summary>
    private readonly LegacyClient _client;

    /// <summary>The start of every id that is made here. It is random, so that the client's ids differ from these.</summary>
    private readonly string _prefix = $"mcpproxyfast-{Convert.ToHexStringLower(System.Security.Cryptography.RandomNumberGenerator.GetBytes(6))}-";

    /// <summary>How many ids have been made here.</summary>
    private long _given;

    public ModernMessages(LegacyClient client) => _client = client;

    /// <summary>The log level that the client has set; null if it has set none.</summary>
    public string? LogLevel { get; set; }

    /// <summary>Makes an id that the client does not use.</summary>
    public MessageId NextId() => MessageId.Of($"{_prefix}{++_given}");

    /// <summary>Whether an id was made by <see cref="NextId"/>.</summary>
    public bool IsOwn(MessageId id) => id.ToString().StartsWith($"\"{_prefix}", StringComparison.Ordinal);

    /// <summary>Translates a message of the client to revision 2026-07-28.</summary>
    /// <param name="message">A request or notification.</param>
    /// <param name="head">The head of the message.</param>
    /// <param name="fault">A sentence that says what is wrong with the message; null if nothing is.</param>
    /// <returns>The translated message, which is valid as long as the client's message; null if there is a fault.</returns>
    public ToServer? Translate(in ReadOnlySequence<byte> message, RpcHead head, out string? fault)
    {
        JsonSlice? found = JsonSlice.Find(message, "params"u8);
        List<JsonSlice>? parameters = found is { } given ? JsonSlice.Members(given.Value) : [];
        if (parameters is null)
        {
            fault = $"The params of {head.Method} must be an object of at most {JsonSlice.MaxMembers} members.";
            return null;
        }

        return Compose(head.Method, head.Id, parameters, head, out fault);
    }

    /// <summary>Makes a request that the client has not sent.</summary>
    public ToServer Own(string method, IReadOnlyList<JsonSlice> parameters)
    {
        MessageId id = NextId();
        var head = new RpcHead { Kind = MessageKind.Request, Method = method, Id = id };
        return Compose(method, id, parameters, head, out _)!;
    }

    /// <summary>Builds a request again that the server has answered with <c>input_required</c>, now with the input that the server asked for.</summary>
    /// <param name="sent">The request as it was sent before.</param>
    /// <param name="responses">The client's answers, each under the server's key for its question, as raw JSON.</param>
    /// <param name="state">The server's <c>requestState</c>, as raw JSON; null if it sent none.</param>
    /// <returns>The new request, which is valid as long as the parameters' bytes are.</returns>
    public ToServer Again(ToServer sent, IReadOnlyList<KeyValuePair<string, ReadOnlySequence<byte>>> responses, byte[]? state)
    {
        JsonSlice found = JsonSlice.Find(sent.Message, "params"u8)!.Value;
        List<JsonSlice> parameters = JsonSlice.Members(found.Value)!;
        parameters.RemoveAll(member => member.Name is "inputResponses" or "requestState");
        if (responses.Count > 0)
        {
            ReadOnlySequence<byte> answers = MessageSplicer.Build(message =>
            {
                message.Json.WriteStartObject();
                foreach ((string key, ReadOnlySequence<byte> value) in responses)
                {
                    message.Write(key, value);
                }

                message.Json.WriteEndObject();
            });
            parameters.Add(new JsonSlice("inputResponses", answers, JsonTokenType.StartObject));
        }

        if (state is not null)
        {
            parameters.Add(new JsonSlice("requestState", new ReadOnlySequence<byte>(state), JsonTokenType.String));
        }

        return Compose(sent.Head.Method, NextId(), parameters, sent.Head, out _)!;
    }

    private ToServer? Compose(string method, MessageId? id, IReadOnlyList<JsonSlice> parameters, RpcHead head, out string? fault)
    {
        List<JsonSlice>? meta = [];
        foreach (JsonSlice member in parameters)
        {
            meta = member.Name is "_meta" ? JsonSlice.Members(member.Value) : meta;
        }

        if (meta is null)
        {
            fault = $"The _meta of {method} must be an object of at most {JsonSlice.MaxMembers} members.";
            return null;
        }

        ReadOnlySequence<byte> composed = MessageSplicer.Build(message =>
        {
            OwnMessages.Open(message.Json);
            if (id is not null)
            {
                OwnMessages.WriteId(message.Json, id);
            }

            message.Json.WriteString("method"u8, method);
            message.Json.WriteStartObject("params"u8);
            WriteMeta(message, meta);
            message.WriteMembers(parameters, name => name is not "_meta");
            message.Json.WriteEndObject();
            message.Json.WriteEndObject();
        });
        fault = null;
        return new ToServer(id, composed, head.As(id, Revisions.Modern));
    }

    private void WriteMeta(MessageSplicer message, List<JsonSlice> meta)
    {
        Utf8JsonWriter json = message.Json;
        json.WriteStartObject("_meta"u8);
        message.WriteMembers(meta, name => !MetaKeys.IsOfRequests(name));
        json.WriteString(MetaKeys.ProtocolVersion, Revisions.Modern);
        json.WritePropertyName(MetaKeys.ClientInfo);
        json.WriteRawValue(_client.Info, skipInputValidation: true);
        json.WritePropertyName(MetaKeys.ClientCapabilities);
        json.WriteRawValue(_client.Capabilities, skipInputValidation: true);
        if (LogLevel is not null)
        {
            json.WriteString(MetaKeys.LogLevel, LogLevel);
        }

        json.WriteEndObject();
    }
}
