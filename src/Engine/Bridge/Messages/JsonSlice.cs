using System.Buffers;
using System.Diagnostics;
using System.Text.Json;

namespace McpProxyFast.Bridge.Messages;

/// <summary>A member of a JSON object, or an element of an array, where it lies.</summary>
/// <param name="Name">The member's name; empty for an element.</param>
/// <param name="Value">The raw JSON of the value; a slice of what was read.</param>
/// <param name="Kind">How the value starts.</param>
internal readonly record struct JsonSlice(string Name, ReadOnlySequence<byte> Value, JsonTokenType Kind)
{
    /// <summary>Most members of an object, or elements of an array, that are taken apart: those of a message, of its params, of their <c>_meta</c>.</summary>
    public const int MaxMembers = 1_000;

    /// <summary>The members of an object, in their order.</summary>
    /// <param name="json">Well-formed JSON, as of a message that has been scanned.</param>
    /// <returns>Null if it is not an object, has more than <see cref="MaxMembers"/>, or a name that is not valid Unicode.</returns>
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
            // Half of a surrogate pair, escaped: JSON but no text.
            return null;
        }
    }

    /// <summary>One member of an object; null if it is not an object or has no such member. Of two, the first.</summary>
    /// <param name="json">Well-formed JSON, as of a message that has been scanned.</param>
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

    /// <summary>The text of the value; null if it is not a string, too long to be kept, or not valid Unicode.</summary>
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

    /// <summary>The text or name that the reader stands on; null if it is neither, or has half of a surrogate pair: JSON, but not valid Unicode.</summary>
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

    /// <summary>Whether the reader stands on a name or text that equals the given one. Text that is not valid Unicode equals nothing.</summary>
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

    /// <summary>Takes the value that the reader stands on, and leaves the reader at its end.</summary>
    private static JsonSlice Take(ref Utf8JsonReader reader, in ReadOnlySequence<byte> json, string name)
    {
        long start = reader.TokenStartIndex;
        JsonTokenType kind = reader.TokenType;
        Debug.Assert(kind is not JsonTokenType.PropertyName, "It stands on a value.");
        reader.Skip();
        return new JsonSlice(name, json.Slice(start, reader.BytesConsumed - start), kind);
    }
}
