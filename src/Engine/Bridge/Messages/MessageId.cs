using System.Buffers;
using System.Text.Json;

namespace McpProxyFast.Bridge.Messages;

/// <summary>The id of a request, or another value that identifies a request (a progress token, a subscription id): a string or a number.</summary>
/// <remarks>
/// Ids are compared by their values, not by their bytes: a peer may send <c>"caf\u00e9"</c> back as <c>"café"</c>, and <c>1.0</c> as <c>1</c>. An id is always
/// sent on unchanged (<see cref="Raw"/>).
/// </remarks>
internal readonly struct MessageId : IEquatable<MessageId>
{
    /// <summary>The decoded string; null if the id is a number.</summary>
    private readonly string? _text;

    /// <summary>The number; 0 if the id is a string.</summary>
    private readonly decimal _number;

    private MessageId(ReadOnlyMemory<byte> raw, string? text, decimal number)
    {
        Raw = raw;
        _text = text;
        _number = number;
    }

    /// <summary>The raw JSON, as received. It is a copy, so it stays valid when the message is disposed of.</summary>
    public ReadOnlyMemory<byte> Raw { get; }

    /// <summary>Makes an id from a number.</summary>
    public static MessageId Of(long number)
    {
        byte[] raw = new byte[20];
        bool fits = System.Buffers.Text.Utf8Formatter.TryFormat(number, raw, out int length);
        System.Diagnostics.Debug.Assert(fits, "A long has at most 20 characters.");
        return new MessageId(raw.AsMemory(0, length), null, number);
    }

    /// <summary>Makes an id from a string.</summary>
    public static MessageId Of(string text) => new(JsonSerializedText(text), text, 0);

    /// <summary>Reads the value that the reader is at.</summary>
    /// <returns>
    /// False if it is neither a string nor a number, is longer than <see cref="MessageScanner.MaxTextBytes"/>, or is a number that parsers round differently.
    /// </returns>
    public static bool TryRead(ref Utf8JsonReader json, in ReadOnlySequence<byte> message, out MessageId id)
    {
        id = default;
        long length = json.BytesConsumed - json.TokenStartIndex;
        if (length > MessageScanner.MaxTextBytes)
        {
            return false;
        }

        string? text = json.TokenType is JsonTokenType.String ? json.GetString() : null;
        decimal number = 0;
        if (text is null && !(json.TokenType is JsonTokenType.Number && json.TryGetDecimal(out number)))
        {
            return false;
        }

        id = new MessageId(message.Slice(json.TokenStartIndex, length).ToArray(), text, number);
        return true;
    }

    public static bool operator ==(MessageId one, MessageId other) => one.Equals(other);

    public static bool operator !=(MessageId one, MessageId other) => !one.Equals(other);

    public bool Equals(MessageId other) => string.Equals(_text, other._text, StringComparison.Ordinal) && _number == other._number;

    public override bool Equals(object? obj) => obj is MessageId other && Equals(other);

    public override int GetHashCode() => HashCode.Combine(_text, _number);

    /// <summary>The raw JSON, for debuggers.</summary>
    public override string ToString() => System.Text.Encoding.UTF8.GetString(Raw.Span);

    private static byte[] JsonSerializedText(string text)
    {
        var output = new ArrayBufferWriter<byte>(text.Length + 2);
        using var json = new Utf8JsonWriter(output);
        json.WriteStringValue(text);
        json.Flush();
        return output.WrittenSpan.ToArray();
    }
}
