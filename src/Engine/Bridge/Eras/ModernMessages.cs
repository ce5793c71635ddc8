using System.Buffers;
using System.Text.Json;
using McpProxyFast.Bridge.Messages;

namespace McpProxyFast.Bridge.Eras;

/// <summary>Makes messages of 2026-07-28 for a client of an older era: each says who asks, what he can do, and in which revision.</summary>
internal sealed class ModernMessages
{
    /// <summary>Who asks.</summary>
    private readonly LegacyClient _client;

    /// <summary>Tells our own ids from the client's.</summary>
    private readonly string _prefix = $"mcpproxyfast-{Convert.ToHexStringLower(System.Security.Cryptography.RandomNumberGenerator.GetBytes(6))}-";

    /// <summary>How many ids of our own have been given.</summary>
    private long _given;

    public ModernMessages(LegacyClient client) => _client = client;

    /// <summary>The level of log messages that the client has asked for; null where it has not.</summary>
    public string? LogLevel { get; set; }

    /// <summary>An id that no client has.</summary>
    public MessageId NextId() => MessageId.Of($"{_prefix}{++_given}");

    /// <summary>Whether an id is one of those.</summary>
    public bool IsOwn(MessageId id) => id.ToString().StartsWith($"\"{_prefix}", StringComparison.Ordinal);

    /// <summary>Translates a message of the client.</summary>
    /// <param name="message">A request or notification.</param>
    /// <param name="head">Its head.</param>
    /// <param name="fault">What is wrong with it; null where nothing is.</param>
    /// <returns>Null where there is a fault.</returns>
    public ToServer? Translate(in ReadOnlySequence<byte> message, RpcHead head, out string? fault)
    {
        JsonSlice? found = JsonSlice.Find(message, "params"u8);
        List<JsonSlice>? parameters = found is { } given ? JsonSlice.Members(given.Value) : [];
        if (parameters is null)
        {
            fault = $"The params of {head.Method} must be an object of at most {JsonSlice.MaxMembers} members.";
            return null;
        }

        return Compose(head.Method, head.Id, parameters, message.Length, head, out fault);
    }

    /// <summary>Makes a request of our own.</summary>
    public ToServer Own(string method, IReadOnlyList<JsonSlice> parameters)
    {
        MessageId id = NextId();
        var head = new RpcHead { Kind = MessageKind.Request, Method = method, Id = id };
        return Compose(method, id, parameters, 512, head, out _)!;
    }

    /// <summary>Builds a request again that was answered with <c>input_required</c>, now with the input that was asked for.</summary>
    /// <param name="sent">The request as it was sent first.</param>
    /// <param name="responses">What the client has answered, by the server's keys.</param>
    /// <param name="state">What the server wants back; null where that is nothing.</param>
    public ToServer Again(ToServer sent, IReadOnlyList<KeyValuePair<string, byte[]>> responses, byte[]? state)
    {
        JsonSlice found = JsonSlice.Find(sent.Message, "params"u8)!.Value;
        List<JsonSlice> parameters = JsonSlice.Members(found.Value)!;
        parameters.RemoveAll(member => member.Name is "inputResponses" or "requestState");
        if (responses.Count > 0)
        {
            ReadOnlySequence<byte> answers = OwnMessages.Build(responses.Sum(pair => pair.Key.Length + pair.Value.LongLength + 8), json =>
            {
                json.WriteStartObject();
                foreach ((string key, byte[] value) in responses)
                {
                    json.WritePropertyName(key);
                    json.WriteRawValue(value, skipInputValidation: true);
                }

                json.WriteEndObject();
            });
            parameters.Add(new JsonSlice("inputResponses", answers, JsonTokenType.StartObject));
        }

        if (state is not null)
        {
            parameters.Add(new JsonSlice("requestState", new ReadOnlySequence<byte>(state), JsonTokenType.String));
        }

        long length = sent.Message.Length + parameters.Sum(member => member.Value.Length);
        return Compose(sent.Head.Method, NextId(), parameters, length, sent.Head, out _)!;
    }

    private ToServer? Compose(string method, MessageId? id, IReadOnlyList<JsonSlice> parameters, long length, RpcHead head, out string? fault)
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

        ReadOnlySequence<byte> message = OwnMessages.Build(length + _client.Info.Length + _client.Capabilities.Length + 512, json =>
        {
            OwnMessages.Open(json);
            if (id is not null)
            {
                OwnMessages.WriteId(json, id);
            }

            json.WriteString("method"u8, method);
            json.WriteStartObject("params"u8);
            WriteMeta(json, meta);
            OwnMessages.WriteMembers(json, parameters, name => name is not "_meta");
            json.WriteEndObject();
            json.WriteEndObject();
        });
        fault = null;
        return new ToServer(id, message, head.As(id, Revisions.Modern));
    }

    private void WriteMeta(Utf8JsonWriter json, List<JsonSlice> meta)
    {
        json.WriteStartObject("_meta"u8);
        OwnMessages.WriteMembers(json, meta, name => !MetaKeys.IsOfRequests(name));
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
