using System.Buffers;
using System.Diagnostics;
using System.Text.Json;

namespace McpProxyFast.Bridge.Messages;

/// <summary>A member of a JSON object, or an element of an array, as a slice of the original bytes.</summary>
/// <param name="Name">The member's name; empty for an element.</param>
/// <param name="Value">The raw JSON of the value: a slice of the original bytes.</param>
/// <param name="Kind">The first token of the value, which tells its type.</param>
internal readonly record struct JsonSlice(string Name, ReadOnlySequence<byte> Value, JsonTokenType Kind)
{
    /// <summary>The maximum number of members of an object that <see cref="Members"/> splits: a message, its <c>params</c>, or their <c>_meta</c>.</summary>
    public const int MaxMembers = 1_000;

    /// <summary>Returns the members of an object, in order.</summary>
    /// <param name="json">Valid JSON, such as a part of a message that has been scanned.</param>
    /// <returns>The members; null if the JSON is not an object, has more than <see cref="MaxMembers"/>, or a name that is not valid Unicode.</returns>
    public static List<JsonSlice>? Members(in ReadOnlySequence<byte> json)
    {
        var reader = new Utf8JsonReader(json, MessageScanner.Options);
        var members = new List<JsonSlice>();
        reader.Read();
        if (reader.TokenType is not JsonTokenType.StartObject)
        {
            return null;
        }

        try
        {
            while (reader.Read() && reader.TokenType is JsonTokenType.PropertyName)
            {
                if (members.Count == MaxMembers)
                {
                    return null;
                }

                string name = reader.GetString()!;
                reader.Read();
                members.Add(Take(ref reader, json, name));
            }

            return members;
        }
        catch (InvalidOperationException)
        {
            // A name has half of a surrogate pair as an escape: valid JSON, but not valid Unicode.
            return null;
        }
    }

    /// <summary>Returns one member of an object; null if the JSON is not an object or has no such member. If there are two, returns the first.</summary>
    /// <param name="json">Valid JSON, such as a part of a message that has been scanned.</param>
    /// <param name="name">The member's name.</param>
    public static JsonSlice? Find(in ReadOnlySequence<byte> json, ReadOnlySpan<byte> name)
    {
        var reader = new Utf8JsonReader(json, MessageScanner.Options);
        reader.Read();
        if (reader.TokenType is not JsonTokenType.StartObject)
        {
            return null;
        }

        while (reader.Read() && reader.TokenType is JsonTokenType.PropertyName)
        {
            bool isIt = Is(ref reader, name);
            reader.Read();
            if (isIt)
            {
                return Take(ref reader, json, "");
            }

            reader.Skip();
        }

        return null;
    }

    /// <summary>The value as a string; null if it is not a string, is longer than <see cref="MessageScanner.MaxTextBytes"/>, or is not valid Unicode.</summary>
    public string? Text
    {
        get
        {
            if (Kind is not JsonTokenType.String || Value.Length > MessageScanner.MaxTextBytes)
            {
                return null;
            }

            var reader = new Utf8JsonReader(Value);
            reader.Read();
            return ReadText(ref reader);
        }
    }

    /// <summary>
    /// Returns the string or name that the reader is at; null if it is at neither, or the text is not valid Unicode (half of a surrogate pair).
    /// </summary>
    public static string? ReadText(ref Utf8JsonReader reader)
    {
        try
        {
            return reader.TokenType is JsonTokenType.String or JsonTokenType.PropertyName ? reader.GetString() : null;
        }
        catch (InvalidOperationException)
        {
            return null;
        }
    }

    /// <summary>Whether the name or string that the reader is at equals the given text. A text that is not valid Unicode equals no other.</summary>
    public static bool Is(ref Utf8JsonReader reader, ReadOnlySpan<byte> text)
    {
        try
        {
            return reader.ValueTextEquals(text);
        }
        catch (InvalidOperationException)
        {
            return false;
        }
    }

    /// <summary>Returns the value that the reader is at, and moves the reader to the end of the value.</summary>
    private static JsonSlice Take(ref Utf8JsonReader reader, in ReadOnlySequence<byte> json, string name)
    {
        long start = reader.TokenStartIndex;
        JsonTokenType kind = reader.TokenType;
        Debug.Assert(kind is not JsonTokenType.PropertyName, "The reader is at a value.");
        reader.Skip();
        return new JsonSlice(name, json.Slice(start, reader.BytesConsumed - start), kind);
    }
}
