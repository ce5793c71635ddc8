using System.Buffers;
using System.Globalization;
using System.Text.Json;
using McpProxyFast.Bridge.Messages;

namespace McpProxyFast.Bridge.Eras;

/// <summary>Takes those arguments of a tool call that are sent in headers too.</summary>
internal ref struct ArgumentReader
{
    /// <summary>Most bytes of all such headers of a request: its head has room for 32 KiB.</summary>
    public const int MaxBytes = 16 * 1024;

    /// <summary>The largest integer that every reader of JSON takes for itself (RFC 8259 §6).</summary>
    private const decimal MaxSafeInteger = (1L << 53) - 1;

    /// <summary>Where the headers go.</summary>
    private readonly List<HeaderField> _fields;

    /// <summary>The reader; it stands on the token that was read last.</summary>
    private Utf8JsonReader _json;

    /// <summary>Bytes of headers so far.</summary>
    private int _bytes;

    private ArgumentReader(in ReadOnlySequence<byte> arguments, List<HeaderField> fields)
    {
        _fields = fields;
        _json = new Utf8JsonReader(arguments, MessageScanner.Options);
    }

    /// <summary>Adds a header for each annotated argument that is there and is not null.</summary>
    /// <param name="parameters">What is annotated.</param>
    /// <param name="message">The call.</param>
    /// <param name="fields">Where the headers go.</param>
    /// <returns>What is wrong with the call; null if nothing is.</returns>
    public static string? Read(ToolParameters parameters, in ReadOnlySequence<byte> message, List<HeaderField> fields)
    {
        if (JsonSlice.Find(message, "params"u8) is not { } found
            || JsonSlice.Find(found.Value, "arguments"u8) is not { Kind: JsonTokenType.StartObject } arguments)
        {
            return null;
        }

        var reader = new ArgumentReader(arguments.Value, fields);
        reader._json.Read();
        try
        {
            return reader.ReadObject(parameters);
        }
        catch (InvalidOperationException)
        {
            return "An argument that the server wants in a header is not valid Unicode: half of a surrogate pair is in it.";
        }
    }

    private string? ReadObject(ToolParameters parameters)
    {
        HashSet<string> seen = new(StringComparer.Ordinal);
        while (_json.Read() && _json.TokenType is JsonTokenType.PropertyName)
        {
            ToolParameters? parameter = FindParameter(parameters, seen, out bool isTwice);
            _json.Read();
            if (isTwice)
            {
                return "An argument that the server wants in a header is there twice.";
            }

            string? fault = parameter is null ? null
                : _json.TokenType is JsonTokenType.StartObject && parameter.Properties.Count > 0 ? ReadObject(parameter)
                : parameter.Header is { } header ? ReadValue(header)
                : null;
            if (fault is not null)
            {
                return fault;
            }

            _json.Skip();
        }

        return null;
    }

    /// <summary>The annotated parameter whose name the reader stands on; null for any other.</summary>
    private readonly ToolParameters? FindParameter(ToolParameters parameters, HashSet<string> seen, out bool isTwice)
    {
        isTwice = false;
        foreach ((string name, ToolParameters parameter) in parameters.Properties)
        {
            if (_json.ValueTextEquals(name))
            {
                isTwice = !seen.Add(name);
                return parameter;
            }
        }

        return null;
    }

    private string? ReadValue(string header)
    {
        if (_json.TokenType is JsonTokenType.String && (_json.HasValueSequence ? _json.ValueSequence.Length : _json.ValueSpan.Length) > MaxBytes)
        {
            return TooLong;
        }

        string? value = _json.TokenType switch
        {
            JsonTokenType.String => _json.GetString(),
            JsonTokenType.True => "true",
            JsonTokenType.False => "false",
            JsonTokenType.Number when _json.TryGetDecimal(out decimal number) && decimal.IsInteger(number) && Math.Abs(number) <= MaxSafeInteger =>
                decimal.ToInt64(number).ToString(CultureInfo.InvariantCulture),
            _ => null,
        };
        if (value is null)
        {
            return null;
        }

        var field = new HeaderField(ModernHeaders.ParameterPrefix + header, HeaderText.Encode(value));
        _bytes += field.Name.Length + field.Value.Length;
        _fields.Add(field);
        return _bytes > MaxBytes ? TooLong : null;
    }

    private static string TooLong => $"The arguments that the server wants in headers are longer than {MaxBytes} bytes. A request's head has no room for more.";
}
