using System.Buffers;
using System.Text.Json;

namespace McpProxyFast.Bridge;

/// <summary>Builds JSON-RPC errors.</summary>
internal static class ErrorMessage
{
    /// <summary>Builds an error that the bridge makes itself.</summary>
    /// <param name="code">A JSON-RPC error code.</param>
    /// <param name="message">A sentence for a person.</param>
    /// <param name="reason">A stable word for <c>data.reason</c>; if it is empty, the error has no <c>data</c>.</param>
    /// <param name="id">The raw JSON of the request's id; empty if the id is not known. Then <c>null</c> is written, as JSON-RPC says.</param>
    /// <param name="status">The HTTP status for <c>data.status</c>; 0 to leave that out.</param>
    public static byte[] Build(int code, string message, string reason, ReadOnlySpan<byte> id, int status = 0)
    {
        var output = new ArrayBufferWriter<byte>(256);
        using var json = new Utf8JsonWriter(output);
        Begin(json, id);
        json.WriteStartObject("error"u8);
        json.WriteNumber("code"u8, code);
        json.WriteString("message"u8, message);
        if (reason.Length > 0)
        {
            json.WriteStartObject("data"u8);
            json.WriteString("reason"u8, reason);
            if (status != 0)
            {
                json.WriteNumber("status"u8, status);
            }

            json.WriteEndObject();
        }

        json.WriteEndObject();
        json.WriteEndObject();
        json.Flush();
        return output.WrittenSpan.ToArray();
    }

    /// <summary>Builds an error that the bridge makes itself, for one of its reasons.</summary>
    public static byte[] Build(BridgeFault fault, ReadOnlySpan<byte> id) => Build(fault.Code, fault.Sentence, fault.Reason, id);

    /// <summary>Builds an error response from a server's error object and the id of the request. In HTTP errors, servers often omit the id.</summary>
    /// <param name="error">The raw JSON of the error object.</param>
    /// <param name="id">The raw JSON of the request's id.</param>
    public static byte[] Wrap(in ReadOnlySequence<byte> error, ReadOnlySpan<byte> id)
    {
        var output = new ArrayBufferWriter<byte>((int)error.Length + 64);
        using var json = new Utf8JsonWriter(output);
        Begin(json, id);
        json.WritePropertyName("error"u8);
        json.WriteRawValue(error, skipInputValidation: true);
        json.WriteEndObject();
        json.Flush();
        return output.WrittenSpan.ToArray();
    }

    /// <summary>Builds a notification without parameters.</summary>
    public static byte[] Notification(string method)
    {
        var output = new ArrayBufferWriter<byte>(128);
        using var json = new Utf8JsonWriter(output);
        json.WriteStartObject();
        json.WriteString("jsonrpc"u8, "2.0"u8);
        json.WriteString("method"u8, method);
        json.WriteEndObject();
        json.Flush();
        return output.WrittenSpan.ToArray();
    }

    private static void Begin(Utf8JsonWriter json, ReadOnlySpan<byte> id)
    {
        json.WriteStartObject();
        json.WriteString("jsonrpc"u8, "2.0"u8);
        json.WritePropertyName("id"u8);
        if (id.IsEmpty)
        {
            json.WriteNullValue();
        }
        else
        {
            json.WriteRawValue(id, skipInputValidation: true);
        }
    }
}
