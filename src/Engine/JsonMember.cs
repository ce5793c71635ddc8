using System.Text.Json;

namespace McpProxyFast;

/// <summary>Reads members of JSON that came from elsewhere.</summary>
internal static class JsonMember
{
    /// <summary>A member that is a string; null where it is absent or anything else.</summary>
    public static string? TextOf(this JsonElement json, string name) =>
        json.TryGetProperty(name, out JsonElement value) && value.ValueKind is JsonValueKind.String ? value.GetString() : null;
}
