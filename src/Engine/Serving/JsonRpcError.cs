using System.Buffers;
using System.Text.Json;
using McpProxyFast.Http1;

namespace McpProxyFast.Serving;

/// <summary>Builds JSON-RPC errors. The id of the request is echoed byte for byte.</summary>
internal static class JsonRpcError
{
    /// <summary>JSON-RPC 2.0 §5.1: internal error.</summary>
    public const int InternalError = -32603;

    /// <summary>JSON-RPC 2.0 §5.1: invalid request.</summary>
    public const int InvalidRequest = -32600;

    /// <summary>Builds the error. If the id is not known, the member is left out.</summary>
    /// <param name="code">A JSON-RPC error code.</param>
    /// <param name="message">A sentence for the user.</param>
    /// <param name="reason">A stable code for <c>data.reason</c>; empty for no data.</param>
    /// <param name="id">The raw JSON of the request's id; empty if it is not known.</param>
    public static byte[] Build(int code, string message, string reason, ReadOnlySpan<byte> id)
    {
        var output = new ArrayBufferWriter<byte>(256);
        using var json = new Utf8JsonWriter(output);
        json.WriteStartObject();
        json.WriteString("jsonrpc"u8, "2.0"u8);
        if (!id.IsEmpty)
        {
            json.WritePropertyName("id"u8);
            json.WriteRawValue(id, skipInputValidation: true);
        }

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
        json.Flush();
        return output.WrittenSpan.ToArray();
    }

    /// <summary>
    /// Finds the <c>id</c> of the request in a body, as raw JSON. Empty if it is neither a string nor a number, or the body is a batch or a response.
    /// </summary>
    /// <param name="framing">The framing of the body. None of the body has been read with it.</param>
    /// <param name="held">The part of the body that is still held, from its start, as it was received.</param>
    public static ReadOnlyMemory<byte> FindId(in BodyFraming framing, in ReadOnlySequence<byte> held)
    {
        byte[] body = Unframe(framing, held);
        ReadOnlyMemory<byte> id = default;
        try
        {
            FindId(body, ref id);
        }
        catch (Exception odd) when (odd is JsonException or InvalidOperationException)
        {
            // The body is not JSON, is incomplete, or has a name with an escaped half of a surrogate pair. An id that was found before that counts.
        }

        return id;
    }

    // A response to a request of the server has that request's id. An error with it could end a request of the client with the same id, so it has none.
    private static void FindId(byte[] body, ref ReadOnlyMemory<byte> id)
    {
        var json = new Utf8JsonReader(body);
        if (!json.Read() || json.TokenType is not JsonTokenType.StartObject)
        {
            return;
        }

        while (json.Read() && json.TokenType is JsonTokenType.PropertyName)
        {
            if (json.ValueTextEquals("result"u8) || json.ValueTextEquals("error"u8))
            {
                id = default;
                return;
            }

            bool isId = id.IsEmpty && json.ValueTextEquals("id"u8);
            if (!json.Read())
            {
                return;
            }

            if (isId && json.TokenType is JsonTokenType.String or JsonTokenType.Number)
            {
                id = body.AsMemory((int)json.TokenStartIndex, (int)(json.BytesConsumed - json.TokenStartIndex));
            }

            json.Skip();
        }
    }

    private static byte[] Unframe(in BodyFraming framing, in ReadOnlySequence<byte> held)
    {
        byte[] received = held.ToArray();
        BodyFraming data = framing.AsDataOnly();
        var walk = new BodyWalk(ref data, received);
        int length = 0;
        while (walk.MoveNext())
        {
            received.AsSpan(walk.RunStart, walk.RunLength).CopyTo(received.AsSpan(length));
            length += walk.RunLength;
        }

        return walk.Violation is Violation.None ? received[..length] : [];
    }
}
