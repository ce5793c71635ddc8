using System.Buffers;
using System.Text.Encodings.Web;
using System.Text.Json;
using McpProxyFast.Bridge.Messages;

namespace McpProxyFast.Cli.Tunnels.OpenAi;

/// <summary>Builds the JSON bodies that are posted to the control plane.</summary>
internal static class Envelope
{
    /// <summary>The type of a body that carries a notification. It does not end the command: the final answer comes later.</summary>
    public const string Notification = "jsonrpc_notify";

    private const string ContentType = "Content-Type";

    /// <summary>The header fields that are copied from the MCP server's response.</summary>
    private static readonly string[] Returned =
        [ContentType, "Mcp-Session-Id", "Mcp-Protocol-Version", "Last-Event-ID", "Access-Control-Expose-Headers", "WWW-Authenticate"];

    private static readonly JsonWriterOptions Options = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping, SkipValidation = true };

    /// <summary>Builds a body with an unchanged message of the server.</summary>
    public static ReadOnlySequence<byte> Message(TunnelCommand command, string type, McpResponse response, in ReadOnlySequence<byte> message) =>
        Build(command, type, response.Status, FieldsOf(response), message);

    /// <summary>Builds the acknowledgment of a notification or of the end of a session.</summary>
    public static ReadOnlySequence<byte> Acknowledgment(TunnelCommand command, int status, McpResponse? response) =>
        Build(command, command.Type == TunnelCommand.SessionTermination ? "session_termination_response" : "notify_ack", status,
            response is null ? [] : FieldsOf(response), default);

    /// <summary>Builds the final answer with an unchanged message of the server.</summary>
    public static ReadOnlySequence<byte> Answer(TunnelCommand command, McpResponse response, in ReadOnlySequence<byte> message) =>
        Message(command, "jsonrpc_response", response, message);

    /// <summary>Builds the final answer if the server gave none.</summary>
    /// <param name="command">The command that is answered.</param>
    /// <param name="asked">The command's message. Each request of a batch gets an error.</param>
    /// <param name="failure">What failed.</param>
    /// <param name="response">The response of the server, if there was one.</param>
    public static ReadOnlySequence<byte> Failure(TunnelCommand command, CommandMessage asked, TunnelFailure failure, McpResponse? response = null)
    {
        ReadOnlySequence<byte> message = asked.IsBatch
            ? CollectedAnswers.BatchOf([.. asked.Requests.Select(id => Error(id, failure))])
            : Error(asked.Id, failure);
        (string Name, string Value)[] fields = response is null ? [] : [.. FieldsOf(response).Where(field => field.Name != ContentType)];
        return Build(command, "jsonrpc_response", failure.Code, [(ContentType, "application/json"), .. fields], message);
    }

    /// <summary>Builds the JSON-RPC error for a request that the server gave no answer to.</summary>
    public static ReadOnlySequence<byte> Error(MessageId? id, TunnelFailure failure) => OwnMessages.Build(256, json =>
    {
        OwnMessages.Open(json);
        OwnMessages.WriteId(json, id);
        json.WriteStartObject("error"u8);
        json.WriteNumber("code"u8, OwnMessages.InternalError);
        json.WriteString("message"u8, failure.Code == 504 ? "The MCP server did not answer in time." : "The MCP server gave no answer.");
        json.WriteStartObject("data"u8);
        json.WriteStartObject("tunnel_failure"u8);
        json.WriteNumber("version"u8, 1);
        json.WriteString("source"u8, failure.Source);
        json.WriteBoolean("upstream_response_received"u8, failure.HasResponse);
        if (failure.Status is { } status)
        {
            json.WriteNumber("upstream_status"u8, status);
        }

        json.WriteEndObject();
        json.WriteEndObject();
        json.WriteEndObject();
        json.WriteEndObject();
    });

    /// <summary>Returns the fields to copy, without empty ones and without those that <c>Connection</c> names.</summary>
    private static (string Name, string Value)[] FieldsOf(McpResponse response)
    {
        string[] named = [.. response.Values("Connection").SelectMany(value => value.Split(',', StringSplitOptions.TrimEntries))];
        return
        [
            .. Returned.Where(name => !named.Contains(name, StringComparer.OrdinalIgnoreCase))
                .SelectMany(name => response.Values(name).Where(value => value.Length > 0).Select(value => (name, value))),
        ];
    }

    private static ReadOnlySequence<byte> Build(
        TunnelCommand command, string type, int code, IReadOnlyList<(string Name, string Value)> fields, in ReadOnlySequence<byte> message)
    {
        var start = new ArrayBufferWriter<byte>(512);
        using var json = new Utf8JsonWriter(start, Options);
        json.WriteStartObject();
        json.WriteString("request_id"u8, command.RequestId);
        json.WriteString("channel"u8, command.Channel);
        json.WriteString("resp_type"u8, type);
        json.WriteNumber("resp_code"u8, code);
        json.WriteStartObject("resp_headers"u8);
        foreach (IGrouping<string, (string Name, string Value)> field in fields.GroupBy(field => field.Name))
        {
            json.WriteStartArray(field.Key);
            foreach ((_, string value) in field)
            {
                json.WriteStringValue(value);
            }

            json.WriteEndArray();
        }

        json.WriteEndObject();
        if (!message.IsEmpty)
        {
            json.WritePropertyName("resp_json"u8);
        }

        json.Flush();
        return JoinedBytes.Of([new(start.WrittenMemory), message, new("}"u8.ToArray())]);
    }
}
