using System.Text.Json;

namespace McpProxyFast;

/// <summary>Reads members of JSON objects that other servers have sent.</summary>
internal static class JsonMember
{
    private static readonly byte[] ByteOrderMark = [0xEF, 0xBB, 0xBF];

    /// <summary>
    /// Returns the value of a member if it is a string, otherwise null. Also null if the string contains half of a surrogate pair: that is valid JSON, but not
    /// valid Unicode.
    /// </summary>
    public static string? TextOf(this JsonElement json, string name) => json.TryGetProperty(name, out JsonElement value) ? Text(value) : null;

    /// <summary>Returns a value if it is a string of valid Unicode, otherwise null, as <see cref="TextOf"/> does.</summary>
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

    /// <summary>
    /// Returns a member as text: a string itself, any other value as JSON. Null if the member is absent, null or false, or is a string that is not valid
    /// Unicode.
    /// </summary>
    /// <remarks>Some servers write identifiers as numbers. Some servers write every member that they know, with null if it has no value.</remarks>
    public static string? WordOf(this JsonElement json, string name) =>
        !json.TryGetProperty(name, out JsonElement value) || value.ValueKind is JsonValueKind.Null or JsonValueKind.False ? null
        : value.ValueKind is JsonValueKind.String ? Text(value)
        : value.GetRawText();

    /// <summary>
    /// Whether every member name of an object is valid Unicode. If a name contains half of a surrogate pair, a search for any member may throw.
    /// </summary>
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
