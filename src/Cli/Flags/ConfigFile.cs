using System.Text.Json;

namespace McpProxyFast.Cli.Flags;

/// <summary>The file named by <c>--config</c>: one JSON object whose keys are flag names.</summary>
internal static class ConfigFile
{
    /// <summary>Largest file read, in bytes.</summary>
    private const int MaxFileBytes = 1024 * 1024;

    /// <summary>The values by flag name.</summary>
    /// <exception cref="UsageException">The file cannot be read, is no JSON object, or holds a key that is no flag.</exception>
    public static Dictionary<string, List<string>> Read(string path, FlagTable table)
    {
        using JsonDocument document = Parse(path);
        if (document.RootElement.ValueKind != JsonValueKind.Object)
        {
            throw Bad(path, "must hold one JSON object");
        }

        var values = new Dictionary<string, List<string>>(StringComparer.Ordinal);
        foreach (JsonProperty property in document.RootElement.EnumerateObject())
        {
            Flag flag = Find(path, property.Name, table);
            values[flag.Name] = [.. Texts(path, property).Where(text => text.Length > 0)];
        }

        return values;
    }

    private static JsonDocument Parse(string path)
    {
        try
        {
            if (new FileInfo(path).Length > MaxFileBytes)
            {
                throw Bad(path, $"is larger than {MaxFileBytes} bytes");
            }

            return JsonDocument.Parse(File.ReadAllBytes(path), new JsonDocumentOptions { CommentHandling = JsonCommentHandling.Skip });
        }
        catch (FileNotFoundException)
        {
            throw Bad(path, "does not exist");
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw Bad(path, "cannot be read");
        }
        catch (JsonException e)
        {
            throw Bad(path, $"is not JSON (line {e.LineNumber + 1}, byte {e.BytePositionInLine})");
        }
    }

    private static Flag Find(string path, string key, FlagTable table) =>
        key is not ("config" or "check") && table.All.FirstOrDefault(flag => flag.Name == key) is { } flag
            ? flag
            : throw Bad(path, $"has the key \"{key}\", which is no flag of this verb");

    private static IEnumerable<string> Texts(string path, JsonProperty property) => property.Value.ValueKind switch
    {
        JsonValueKind.Null => [],
        JsonValueKind.Array => property.Value.EnumerateArray().Select(element => Text(path, property.Name, element)),
        _ => [Text(path, property.Name, property.Value)],
    };

    private static string Text(string path, string key, JsonElement element) => element.ValueKind switch
    {
        JsonValueKind.String => element.GetString()!,
        JsonValueKind.Number => element.GetRawText(),
        JsonValueKind.True => "true",
        JsonValueKind.False => "false",
        _ => throw Bad(path, $"must give \"{key}\" as a string, a number, a bool, or an array of strings"),
    };

    private static UsageException Bad(string path, string what) => new($"--config: {path} {what}");
}
