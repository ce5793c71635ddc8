using System.Text.Json;

namespace McpProxyFast.Cli.Flags;

/// <summary>The file named by <c>--config</c>: one JSON object whose keys are flag names.</summary>
internal static class ConfigFile
{
    /// <summary>Largest file read, in bytes.</summary>
    private const int MaxFileBytes = 1024 * 1024;

    /// <summary>The settings by flag name. A key with <c>null</c> is as one that is not there.</summary>
    /// <exception cref="UsageException">The file cannot be read, is no JSON object, or holds a key that is no flag.</exception>
    public static Dictionary<string, Setting> Read(string path, FlagTable table)
    {
        byte[] bytes = ReadBytes(path);
        using JsonDocument document = Parse(path, bytes);
        if (document.RootElement.ValueKind != JsonValueKind.Object)
        {
            throw Bad(path, "must hold one JSON object");
        }

        Dictionary<string, int> lines = LinesOf(bytes);
        var settings = new Dictionary<string, Setting>(StringComparer.Ordinal);
        foreach (JsonProperty property in document.RootElement.EnumerateObject())
        {
            Flag flag = Find(path, property.Name, table);
            if (property.Value.ValueKind is not JsonValueKind.Null)
            {
                settings[flag.Name] = new Setting(SettingSource.ConfigFile, $"{path}, line {lines[flag.Name]}", [.. Texts(path, property)]);
            }
        }

        return settings;
    }

    /// <summary>The line of each key, counted from 1; where a key stands twice, that of the last, whose value counts.</summary>
    private static Dictionary<string, int> LinesOf(byte[] bytes)
    {
        var lines = new Dictionary<string, int>(StringComparer.Ordinal);
        var reader = new Utf8JsonReader(bytes, new JsonReaderOptions { CommentHandling = JsonCommentHandling.Skip });
        while (reader.Read())
        {
            if (reader.TokenType is JsonTokenType.PropertyName && reader.CurrentDepth == 1)
            {
                lines[reader.GetString()!] = 1 + bytes.AsSpan(0, (int)reader.TokenStartIndex).Count((byte)'\n');
            }
        }

        return lines;
    }

    private static byte[] ReadBytes(string path)
    {
        try
        {
            if (new FileInfo(path).Length > MaxFileBytes)
            {
                throw Bad(path, $"is larger than {MaxFileBytes} bytes");
            }

            return File.ReadAllBytes(path);
        }
        catch (FileNotFoundException)
        {
            throw Bad(path, "does not exist");
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw Bad(path, "cannot be read");
        }
    }

    private static JsonDocument Parse(string path, byte[] bytes)
    {
        try
        {
            return JsonDocument.Parse(bytes, new JsonDocumentOptions { CommentHandling = JsonCommentHandling.Skip });
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
