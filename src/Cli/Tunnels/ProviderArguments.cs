using System.Globalization;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using McpProxyFast.Cli.Flags;

namespace McpProxyFast.Cli.Tunnels;

/// <summary>The members of the JSON object in <c>--provider-args</c>. Unknown names and wrong types are errors.</summary>
internal sealed class ProviderArguments
{
    /// <summary>The name of the flag.</summary>
    public const string Flag = "provider-args";

    /// <summary>The only argument whose value is a secret. Others name the file or the variable that has the secret.</summary>
    public const string AuthToken = "auth-token";

    /// <summary>The maximum length of the flag's value. A few paths and a token take some hundred characters.</summary>
    private const int MaxCharacters = 64 * 1024;

    private readonly string _provider;

    /// <summary>The members by name. The provider knows all of these names.</summary>
    private readonly Dictionary<string, JsonElement> _members;

    private ProviderArguments(string provider, Dictionary<string, JsonElement> members)
    {
        _provider = provider;
        _members = members;
    }

    /// <summary>Parses the JSON object. The names are not checked yet.</summary>
    /// <exception cref="UsageException">The text is not a JSON object, or has a name twice.</exception>
    public static IReadOnlyList<(string Name, JsonElement Value)> Parse(string json)
    {
        if (json.Length > MaxCharacters)
        {
            throw Wrong($"it is longer than {MaxCharacters} characters");
        }

        try
        {
            using JsonDocument document = JsonDocument.Parse(json, new JsonDocumentOptions { MaxDepth = 8, AllowDuplicateProperties = false });
            return document.RootElement.ValueKind is JsonValueKind.Object
                ? [.. document.RootElement.Clone().EnumerateObject().Select(member => (member.Name, member.Value))]
                : throw Wrong("it must be a JSON object, such as {\"url\":\"https://mcp.example.com\"}");
        }
        catch (JsonException e)
        {
            // The message of the exception is not used: it quotes the input, which may contain a token.
            throw Wrong($"it is not a JSON object, or has a member twice (line {e.LineNumber + 1}, byte {e.BytePositionInLine + 1})");
        }
        catch (InvalidOperationException)
        {
            throw Wrong("it has a \\u escape that is only half of a surrogate pair; write the character itself");
        }
    }

    /// <summary>Checks the names and returns the arguments.</summary>
    /// <param name="provider">The provider's name, for messages.</param>
    /// <param name="members">The members, as <see cref="Parse"/> returned them.</param>
    /// <param name="known">The names that the provider knows.</param>
    /// <exception cref="UsageException">A member has a name that the provider does not know.</exception>
    public static ProviderArguments Of(string provider, IReadOnlyList<(string Name, JsonElement Value)> members, params string[] known)
    {
        if (members.FirstOrDefault(member => !known.Contains(member.Name)) is { Name: { } unknown })
        {
            string meant = Nearest.Of(unknown, known) is { } nearest ? $"did you mean \"{nearest}\"? " : "";
            throw Wrong($"the member \"{unknown}\" is unknown to {provider}; {meant}The known members are: {string.Join(", ", known)}");
        }

        return new ProviderArguments(provider, members.ToDictionary(member => member.Name, member => member.Value));
    }

    /// <summary>Whether the JSON text contains a secret.</summary>
    public static bool HoldSecret(string json) => Redact(json, "") != json;

    /// <summary>Returns the JSON text with <paramref name="mark"/> in place of its secret.</summary>
    public static string Redact(string json, string mark)
    {
        try
        {
            using JsonDocument document = JsonDocument.Parse(json);
            if (document.RootElement.ValueKind is not JsonValueKind.Object || !document.RootElement.TryGetProperty(AuthToken, out _))
            {
                return json;
            }

            using var bytes = new MemoryStream();
            using (var writer = new Utf8JsonWriter(bytes, new JsonWriterOptions { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping }))
            {
                writer.WriteStartObject();
                foreach (JsonProperty member in document.RootElement.EnumerateObject())
                {
                    writer.WritePropertyName(member.Name);
                    if (member.Name == AuthToken)
                    {
                        writer.WriteStringValue(mark);
                    }
                    else
                    {
                        member.Value.WriteTo(writer);
                    }
                }

                writer.WriteEndObject();
            }

            return Encoding.UTF8.GetString(bytes.GetBuffer(), 0, (int)bytes.Length);
        }
        catch (JsonException)
        {
            return mark; // not JSON, so any part of it may be a secret
        }
    }

    /// <summary>Whether the argument is given.</summary>
    public bool Has(string name) => _members.ContainsKey(name);

    /// <summary>Reads a string, which must not be empty and must not have control characters.</summary>
    /// <returns>The value; null if the argument is not given.</returns>
    /// <exception cref="UsageException">The value has another type or form.</exception>
    public string? Text(string name)
    {
        if (!_members.TryGetValue(name, out JsonElement value))
        {
            return null;
        }

        string text = value.ValueKind is JsonValueKind.String ? Unescaped(name, value) : throw Wrong($"\"{name}\" must be a string");
        return text.Trim().Length == 0 ? throw Wrong($"\"{name}\" is given and empty; give it a value, or leave it out")
            : text.Any(char.IsControl) ? throw Wrong($"\"{name}\" must not contain control characters")
            : text;
    }

    /// <summary>Reads a required string.</summary>
    /// <exception cref="UsageException">The argument is not given, or has another type or form.</exception>
    public string Required(string name, string example) =>
        Text(name) ?? throw Wrong($"{_provider} needs \"{name}\", as in {{\"{name}\":\"{example}\"}}");

    /// <summary>Reads a bool; false if it is not given.</summary>
    /// <exception cref="UsageException">The value has another type or form.</exception>
    public bool Bool(string name) => _members.TryGetValue(name, out JsonElement value) && (value.ValueKind is JsonValueKind.True or JsonValueKind.False
        ? value.GetBoolean()
        : throw Wrong($"\"{name}\" must be true or false"));

    /// <summary>Reads an integer.</summary>
    /// <returns>The value; null if the argument is not given.</returns>
    /// <exception cref="UsageException">The value has another type, or is outside its range.</exception>
    public int? Number(string name, int least, int most)
    {
        if (!_members.TryGetValue(name, out JsonElement value))
        {
            return null;
        }

        return value.ValueKind is JsonValueKind.Number && value.TryGetInt32(out int number) && number >= least && number <= most
            ? number
            : throw Wrong(string.Create(CultureInfo.InvariantCulture, $"\"{name}\" must be a whole number from {least} to {most}"));
    }

    /// <summary>Reads an array of strings; empty if it is not given.</summary>
    /// <exception cref="UsageException">The value has another type or form.</exception>
    public IReadOnlyList<string> Texts(string name)
    {
        if (!_members.TryGetValue(name, out JsonElement value))
        {
            return [];
        }

        JsonElement[] elements = value.ValueKind is JsonValueKind.Array ? [.. value.EnumerateArray()] : [];
        return elements.Length > 0 && Array.TrueForAll(elements, element => element.ValueKind is JsonValueKind.String)
            ? [.. elements.Select(element => Unescaped(name, element))]
            : throw Wrong($"\"{name}\" must be an array of strings");
    }

    /// <summary>Reads an http or https URL without user information, query and fragment.</summary>
    /// <returns>The value; null if the argument is not given.</returns>
    /// <exception cref="UsageException">The value has another type or form.</exception>
    public Uri? Url(string name)
    {
        if (Text(name) is not { } text)
        {
            return null;
        }

        return PublicUrl.TryParse(text, out Uri? url) ? url : throw Wrong($"\"{name}\" must be an http or https URL such as https://mcp.example.com");
    }

    /// <summary>Reads the path of an existing file.</summary>
    /// <returns>The value; null if the argument is not given.</returns>
    /// <exception cref="UsageException">There is no such file.</exception>
    public string? File(string name) => Text(name) is not { } path ? null
        : System.IO.File.Exists(path) ? path
        : throw Wrong($"\"{name}\": {path} is not a file that can be read");

    /// <summary>Creates the exception for a mistake in the arguments.</summary>
    public static UsageException Wrong(string what) => new($"--{Flag}: {what}");

    private static string Unescaped(string name, JsonElement value)
    {
        try
        {
            return value.GetString()!;
        }
        catch (InvalidOperationException)
        {
            throw Wrong($"\"{name}\" has a \\u escape that is only half of a surrogate pair; write the character itself");
        }
    }
}
