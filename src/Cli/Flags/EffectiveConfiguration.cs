using System.Buffers;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using McpProxyFast.Cli.Tunnels;

namespace McpProxyFast.Cli.Flags;

/// <summary>Builds the output of <c>--check</c>: a config file that would have the same effect, but without the secrets.</summary>
internal static class EffectiveConfiguration
{
    private const string Redacted = "***";

    public static string Describe(Settings settings)
    {
        var buffer = new ArrayBufferWriter<byte>();
        using (var json = new Utf8JsonWriter(buffer, new JsonWriterOptions { Indented = true, Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping }))
        {
            json.WriteStartObject();
            foreach ((string key, string value) in settings.Table.PositionalKeys.Zip(settings.Positionals))
            {
                json.WriteString(key, key == "target" ? RedactUrl(value) : value);
            }

            foreach (Flag flag in settings.Table.Built.Where(flag => flag.Name is not ("config" or "check")))
            {
                Write(json, flag, settings.Given.GetValueOrDefault(flag.Name) is { } given ? given.IsEmpty ? [] : given.Values : null);
            }

            json.WriteEndObject();
        }

        return Encoding.UTF8.GetString(buffer.WrittenSpan);
    }

    /// <summary>Whether a value is the placeholder that is printed in place of a secret.</summary>
    public static bool IsRedacted(Flag flag, string value) => flag.Unit switch
    {
        Flag.SecretUnit => value == Redacted,
        Flag.FieldLineUnit => value.EndsWith("=" + Redacted, StringComparison.Ordinal),
        Flag.UrlUnit => IsRedactedUrl(value),
        Flag.JsonUnit => value.Contains($"\"{Redacted}\"", StringComparison.Ordinal),
        _ => false,
    };

    /// <summary>Whether a URL has the placeholder that is printed in place of its query.</summary>
    public static bool IsRedactedUrl(string value) => value.EndsWith("?" + Redacted, StringComparison.Ordinal);

    private static void Write(Utf8JsonWriter json, Flag flag, IReadOnlyList<string>? given)
    {
        if (flag.Kind == FlagKind.Bool)
        {
            json.WriteBoolean(flag.Name, given is not null && bool.Parse(given[^1]));
        }
        else if (flag.IsRepeatable && (given ?? flag.Default?.Split(',')) is { } values)
        {
            // A list that was not given and has no default is left out. An empty list would mean that an empty value was given.
            json.WriteStartArray(flag.Name);
            foreach (string value in values)
            {
                json.WriteStringValue(Redact(flag, value));
            }

            json.WriteEndArray();
        }
        else if (!flag.IsRepeatable && (given?[^1] ?? flag.Default) is { } value)
        {
            json.WriteString(flag.Name, Redact(flag, value));
        }
    }

    private static string Redact(Flag flag, string value) => flag.Unit switch
    {
        Flag.SecretUnit => Redacted,
        Flag.FieldLineUnit => $"{value.Split('=')[0]}={Redacted}",
        Flag.UrlUnit => RedactUrl(value),
        Flag.JsonUnit => ProviderArguments.Redact(value, Redacted),
        _ => value,
    };

    // The query of a target's URL may contain a secret key.
    private static string RedactUrl(string value) => value.Contains('?', StringComparison.Ordinal) ? $"{value.Split('?')[0]}?{Redacted}" : value;
}
