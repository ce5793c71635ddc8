using System.Buffers;
using System.Text.Json;

namespace McpProxyFast.Bridge.Messages;

/// <summary>Builds messages that come from the bridge itself, not from the client or the server.</summary>
internal static class OwnMessages
{
    /// <summary>The error code of JSON-RPC 2.0 §5.1 for a message that is not a valid request, or not one that is allowed now.</summary>
    public const int InvalidRequest = MessageFaults.InvalidRequest;

    /// <summary>The error code of JSON-RPC 2.0 §5.1 for a method that does not exist, or is not available here.</summary>
    public const int MethodNotFound = -32601;

    /// <summary>The error code of JSON-RPC 2.0 §5.1 for parameters that are not valid.</summary>
    public const int InvalidParams = -32602;

    /// <summary>The error code of JSON-RPC 2.0 §5.1 for a request that is valid but could not be carried out.</summary>
    public const int InternalError = -32603;

    /// <summary>Writes JSON into newly allocated memory.</summary>
    /// <param name="capacity">The expected length in bytes, so that the memory need not grow.</param>
    /// <param name="write">Writes the JSON.</param>
    public static ReadOnlySequence<byte> Build(long capacity, Action<Utf8JsonWriter> write)
    {
        var output = new ArrayBufferWriter<byte>((int)Math.Clamp(capacity, 256, int.MaxValue / 2));
        using (var json = new Utf8JsonWriter(output, new JsonWriterOptions { SkipValidation = true }))
        {
            write(json);
        }

        return new ReadOnlySequence<byte>(output.WrittenMemory);
    }

    /// <summary>Builds an error that answers a request.</summary>
    /// <param name="id">The request's id; null if it is not known.</param>
    /// <param name="code">A JSON-RPC error code.</param>
    /// <param name="message">A sentence for a person.</param>
    /// <param name="reason">A stable word for <c>data.reason</c>; if it is empty, the error has no <c>data</c>.</param>
    public static ReadOnlySequence<byte> Error(MessageId? id, int code, string message, string reason = "") => Build(256 + message.Length, json =>
    {
        Open(json);
        WriteId(json, id);
        json.WriteStartObject("error"u8);
        json.WriteNumber("code"u8, code);
        json.WriteString("message"u8, message);
        if (reason.Length > 0)
        {
            json.WriteStartObject("data"u8);
            json.WriteString("reason"u8, reason);
            json.WriteEndObject();
        }

        json.WriteEndObject();
        json.WriteEndObject();
    });

    /// <summary>Builds the error for a request that was open when the bridge was stopped.</summary>
    public static ReadOnlySequence<byte> Stopped(MessageId request) =>
        Error(request, InternalError, "The bridge was stopped before the server answered.", "stopped");

    /// <summary>Builds a response with an empty result.</summary>
    public static ReadOnlySequence<byte> Empty(MessageId id) => Build(128, json =>
    {
        Open(json);
        WriteId(json, id);
        json.WriteStartObject("result"u8);
        json.WriteEndObject();
        json.WriteEndObject();
    });

    /// <summary>Builds a notification without params.</summary>
    public static ReadOnlySequence<byte> Notification(string method) => Build(128, json =>
    {
        Open(json);
        json.WriteString("method"u8, method);
        json.WriteEndObject();
    });

    /// <summary>Builds the notification that a resource may have changed.</summary>
    public static ReadOnlySequence<byte> Updated(string resource) => Build(256 + resource.Length, json =>
    {
        Open(json);
        json.WriteString("method"u8, Methods.ResourceUpdated);
        json.WriteStartObject("params"u8);
        json.WriteString("uri"u8, resource);
        json.WriteEndObject();
        json.WriteEndObject();
    });

    /// <summary>Builds the notification that cancels a request that the bridge itself has made.</summary>
    public static ReadOnlySequence<byte> Cancelled(MessageId request, string reason) => Build(256, json =>
    {
        Open(json);
        json.WriteString("method"u8, Methods.Cancelled);
        json.WriteStartObject("params"u8);
        json.WritePropertyName("requestId"u8);
        json.WriteRawValue(request.Raw.Span, skipInputValidation: true);
        json.WriteString("reason"u8, reason);
        json.WriteEndObject();
        json.WriteEndObject();
    });

    /// <summary>Builds a copy of an answer with another id.</summary>
    /// <param name="answer">A response or an error response.</param>
    /// <param name="id">The id of the request that the copy answers.</param>
    /// <returns>The copy. It is valid as long as the answer.</returns>
    public static ReadOnlySequence<byte> WithId(in ReadOnlySequence<byte> answer, MessageId id)
    {
        List<JsonSlice> members = JsonSlice.Members(answer) ?? [];
        return MessageSplicer.Build(message =>
        {
            Open(message.Json);
            WriteId(message.Json, id);
            message.WriteMembers(members, member => member is "result" or "error");
            message.Json.WriteEndObject();
        });
    }

    /// <summary>Writes the start of a message: the opening brace and the member <c>jsonrpc</c>.</summary>
    public static void Open(Utf8JsonWriter json)
    {
        json.WriteStartObject();
        json.WriteString("jsonrpc"u8, "2.0"u8);
    }

    /// <summary>Writes the member <c>id</c>, exactly as it was received; <c>null</c> if the id is not known.</summary>
    public static void WriteId(Utf8JsonWriter json, MessageId? id)
    {
        json.WritePropertyName("id"u8);
        if (id is { } known)
        {
            json.WriteRawValue(known.Raw.Span, skipInputValidation: true);
        }
        else
        {
            json.WriteNullValue();
        }
    }

    /// <summary>Writes the members whose names are wanted, with their raw JSON unchanged.</summary>
    public static void WriteMembers(Utf8JsonWriter json, IEnumerable<JsonSlice> members, Func<string, bool> isWanted)
    {
        foreach (JsonSlice member in members)
        {
            if (isWanted(member.Name))
            {
                Write(json, member.Name, member.Value);
            }
        }
    }

    /// <summary>Writes a member whose value is raw JSON.</summary>
    public static void Write(Utf8JsonWriter json, string name, in ReadOnlySequence<byte> value)
    {
        json.WritePropertyName(name);
        json.WriteRawValue(value, skipInputValidation: true);
    }
}
