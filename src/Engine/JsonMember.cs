using System.Text.Json;

namespace McpProxyFast;

/// <summary>Reads members of JSON that came from elsewhere.</summary>
internal static class JsonMember
{
    private static readonly byte[] ByteOrderMark = [0xEF, 0xBB, 0xBF];

    /// <summary>A member that is a string; null if it is absent or anything else, also half of a surrogate pair, which is JSON but no text.</summary>
    public static string? TextOf(this JsonElement json, string name) => json.TryGetProperty(name, out JsonElement value) ? Text(value) : null;

    /// <summary>A value that is a string; null for anything else, as in <see cref="TextOf"/>.</summary>
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

    /// <summary>A member as text where it is a string, a number or an object; null where it is absent, null, false, or no text.</summary>
    /// <remarks>Some servers write identifiers as numbers, and every member that they know, with null where they have nothing to say.</remarks>
    public static string? WordOf(this JsonElement json, string name) =>
        !json.TryGetProperty(name, out JsonElement value) || value.ValueKind is JsonValueKind.Null or JsonValueKind.False ? null
        : value.ValueKind is JsonValueKind.String ? Text(value)
        : value.GetRawText();

    /// <summary>Whether every name in an object is text. Where one holds half of a surrogate pair, a search for any member may fail.</summary>
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

    /// <summary>Whether a member is a string, null, or not there.</summary>
    public static bool IsTextOrAbsent(this JsonElement json, string name) =>
        !json.TryGetProperty(name, out JsonElement value) || value.ValueKind is JsonValueKind.String or JsonValueKind.Null;

    /// <summary>JSON without the byte order mark that some servers put before it, which a reader may ignore (RFC 8259 §8.1).</summary>
    public static ReadOnlyMemory<byte> WithoutByteOrderMark(this ReadOnlyMemory<byte> json) =>
        json.Span.StartsWith(ByteOrderMark) ? json[ByteOrderMark.Length..] : json;
}
