using System.Text.Json;

namespace McpProxyFast;

/// <summary>Reads members of JSON that came from outside.</summary>
internal static class JsonMember
{
    private static readonly byte[] ByteOrderMark = [0xEF, 0xBB, 0xBF];

    /// <summary>
    /// Returns a member that is a string; null if it is absent or anything else. Half of a surrogate pair also gives null: it is valid JSON but not text.
    /// </summary>
    public static string? TextOf(this JsonElement json, string name) => json.TryGetProperty(name, out JsonElement value) ? Text(value) : null;

    /// <summary>Returns a value that is a string; null for anything else, as in <see cref="TextOf"/>.</summary>
    public static string? Text(JsonElement value)
    {
        if (value.ValueKind is not JsonValueKind.String)
        {
            return null;
        }

        try
        {
            return value.GetString();
        }
        catch (InvalidOperationException)
        {
            return null;
        }
    }

    /// <summary>Returns a member as text if it is a string, a number or an object; null if it is absent, null, false, or not valid text.</summary>
    /// <remarks>Some servers write identifiers as numbers. Some also write all members that they know, with null for those without a value.</remarks>
    public static string? WordOf(this JsonElement json, string name) =>
        !json.TryGetProperty(name, out JsonElement value) || value.ValueKind is JsonValueKind.Null or JsonValueKind.False ? null
        : value.ValueKind is JsonValueKind.String ? Text(value)
        : value.GetRawText();

    /// <summary>Whether every name in an object is valid text. If one contains half of a surrogate pair, a search for any member may throw.</summary>
    public static bool HasReadableNames(this JsonElement json)
    {
        try
        {
            return json.EnumerateObject().All(member => member.Name is not null);
        }
        catch (InvalidOperationException)
        {
            return false;
        }
    }

    /// <summary>Whether a member is a string, null, or absent.</summary>
    public static bool IsTextOrAbsent(this JsonElement json, string name) =>
        !json.TryGetProperty(name, out JsonElement value) || value.ValueKind is JsonValueKind.String or JsonValueKind.Null;

    /// <summary>Returns the JSON without the byte order mark that some servers put before it. A reader may ignore that mark (RFC 8259 §8.1).</summary>
    public static ReadOnlyMemory<byte> WithoutByteOrderMark(this ReadOnlyMemory<byte> json) =>
        json.Span.StartsWith(ByteOrderMark) ? json[ByteOrderMark.Length..] : json;
}
