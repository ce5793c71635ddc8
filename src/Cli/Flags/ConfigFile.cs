using System.Text;
using System.Text.Json;

namespace McpProxyFast.Cli.Flags;

/// <summary>Reads the file that <c>--config</c> names: one JSON object whose keys are flag names.</summary>
internal static class ConfigFile
{
    /// <summary>The largest file that is read, in bytes.</summary>
    private const int MaxFileBytes = 1024 * 1024;

    /// <summary>An encoding that throws if bytes are not UTF-8, and says at which byte.</summary>
    private static readonly UTF8Encoding StrictUtf8 = new(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true);

    /// <summary>Returns the settings by flag name, and by <see cref="FlagTable.PositionalKeys"/>. A key with the value <c>null</c> counts as missing.</summary>
    /// <exception cref="UsageException">The file cannot be read, is not a JSON object, or has a key or a value that is not valid for the verb.</exception>
    public static Dictionary<string, Setting> Read(string path, FlagTable table)
    {
        ReadOnlyMemory<byte> text = WithoutMark(Load(path));
        using JsonDocument document = Parse(path, text);
        if (document.RootElement.ValueKind != JsonValueKind.Object)
        {
            throw Bad(path, "must hold one JSON object");
        }

        List<int> lines = LinesOf(text.Span);
        var seen = new HashSet<string>(StringComparer.Ordinal);
        var settings = new Dictionary<string, Setting>(StringComparer.Ordinal);
        foreach (JsonProperty property in document.RootElement.EnumerateObject())
        {
            string key = Unescaped(path, () => property.Name);
            string origin = $"{path}, line {lines[seen.Count]}";

            // JSON parsers differ in which of two equal keys they take, so a file with two is refused.
            if (!seen.Add(key))
            {
                throw Bad(path, $"has the key \"{key}\" twice");
            }

            List<string>? texts = property.Value.ValueKind is JsonValueKind.Null ? null : [.. Texts(path, key, property.Value)];
            if (table.PositionalKeys.Contains(key))
            {
                RefuseBadName(path, key, texts);
            }
            else
            {
                RefuseRedacted(path, Find(path, key, table), texts);
            }

            if (texts is not null)
            {
                settings.Add(key, new Setting(SettingSource.ConfigFile, origin, texts));
            }
        }

        return settings;
    }

    /// <summary>Returns the line number of each top-level key, in the order of the file. The first line is 1.</summary>
    private static List<int> LinesOf(ReadOnlySpan<byte> text)
    {
        List<int> lines = [];
        var reader = new Utf8JsonReader(text, new JsonReaderOptions { CommentHandling = JsonCommentHandling.Skip });
        while (reader.Read())
        {
            if (reader.TokenType is JsonTokenType.PropertyName && reader.CurrentDepth == 1)
            {
                lines.Add(1 + text[..(int)reader.TokenStartIndex].Count((byte)'\n'));
            }
        }

        return lines;
    }

    private static byte[] Load(string path)
    {
        try
        {
            using FileStream file = File.OpenRead(path);
            byte[] bytes = new byte[MaxFileBytes + 1];
            int length = file.ReadAtLeast(bytes, bytes.Length, throwOnEndOfStream: false);
            return length <= MaxFileBytes ? bytes[..length] : throw Bad(path, $"is larger than {MaxFileBytes} bytes");
        }
        catch (Exception e) when (e is FileNotFoundException or DirectoryNotFoundException)
        {
            throw Bad(path, "does not exist");
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw Bad(path, "cannot be read");
        }
    }

    /// <summary>Returns the bytes without the byte order mark that some editors write at the start.</summary>
    private static ReadOnlyMemory<byte> WithoutMark(byte[] bytes) =>
        bytes.AsSpan().StartsWith(Encoding.UTF8.Preamble) ? bytes.AsMemory(Encoding.UTF8.Preamble.Length) : bytes;

    private static JsonDocument Parse(string path, ReadOnlyMemory<byte> text)
    {
        try
        {
            _ = StrictUtf8.GetCharCount(text.Span);
            return JsonDocument.Parse(text, new JsonDocumentOptions { CommentHandling = JsonCommentHandling.Skip });
        }
        catch (DecoderFallbackException e)
        {
            int line = text.Span[..Math.Max(0, e.Index)].Count((byte)'\n') + 1;
            throw Bad(path, $"is not UTF-8 (line {line}); save it as UTF-8");
        }
        catch (JsonException e)
        {
            throw Bad(path, $"is not JSON (line {e.LineNumber + 1}, byte {e.BytePositionInLine + 1})");
        }
    }

    private static Flag Find(string path, string key, FlagTable table)
    {
        if (key is not ("config" or "check") && table.All.FirstOrDefault(flag => flag.Name == key) is { } flag)
        {
            return flag;
        }

        string meant = ForeignFlags.HintFor($"--{key}", table) is { } hint ? $"; {hint}"
            : Nearest.Of(key, table.Built.Select(flag => flag.Name).Where(name => name is not ("config" or "check"))) is { } nearest
                ? $"; did you mean \"{nearest}\"?"
            : "";
        throw Bad(path, $"has the key \"{key}\", which is not a flag of this verb{meant}");
    }

    /// <summary>
    /// Refuses a bad value for an argument that belongs to no flag, such as the server's name. The value must be one text that is not empty, does not begin
    /// with a dash as flags do, and does not end with the placeholder that <c>--check</c> prints in place of a URL's query.
    /// </summary>
    private static void RefuseBadName(string path, string key, List<string>? texts)
    {
        if (texts is not (null or [{ Length: > 0 } and not ['-', ..]]))
        {
            throw Bad(path, $"must give \"{key}\" as one name that does not begin with a dash");
        }

        if (texts?.Exists(EffectiveConfiguration.IsRedactedUrl) is true)
        {
            throw Redacted(path, key);
        }
    }

    private static void RefuseRedacted(string path, Flag flag, List<string>? texts)
    {
        if (texts?.Exists(text => EffectiveConfiguration.IsRedacted(flag, text)) is true)
        {
            throw Redacted(path, flag.Name);
        }
    }

    private static UsageException Redacted(string path, string key)
    {
        const string Remedy = "write the secret there, or remove the key and give the secret in the environment or a file";
        return Bad(path, $"has *** for \"{key}\", which --check prints instead of a secret; {Remedy}");
    }

    private static IEnumerable<string> Texts(string path, string key, JsonElement value) => value.ValueKind switch
    {
        JsonValueKind.Array => value.EnumerateArray().Select(element => Text(path, key, element)),
        _ => [Text(path, key, value)],
    };

    private static string Text(string path, string key, JsonElement element) => element.ValueKind switch
    {
        JsonValueKind.String => Unescaped(path, () => element.GetString()!),
        JsonValueKind.Number => element.GetRawText(),
        JsonValueKind.True => "true",
        JsonValueKind.False => "false",
        _ => throw Bad(path, $"must give \"{key}\" as a string, a number, a bool, or an array of strings"),
    };

    /// <summary>Reads a string. Refuses one that is not valid Unicode (<c>\ud800</c> without its other half), or that has the character 0.</summary>
    private static string Unescaped(string path, Func<string> read)
    {
        try
        {
            string text = read();
            return text.Contains('\0', StringComparison.Ordinal)
                ? throw Bad(path, "has the escape \\u0000, a character that neither a flag nor a name of a file can hold")
                : text;
        }
        catch (InvalidOperationException)
        {
            throw Bad(path, "has a \\u escape that is only half of a surrogate pair; write the character itself");
        }
    }

    private static UsageException Bad(string path, string what) => new($"--config: {path} {what}");
}
