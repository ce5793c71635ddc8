using System.Buffers;
using System.Globalization;
using System.Text.Json;
using McpProxyFast.Bridge.Messages;

namespace McpProxyFast.Bridge.Eras;

/// <summary>Reads the arguments of a tool call that must be sent in HTTP headers too (<c>x-mcp-header</c> of revision 2026-07-28).</summary>
internal ref struct ArgumentReader
{
    /// <summary>
    /// The maximum size in bytes of all argument headers of one request. A larger call is refused, since a request head may have only 32 KiB by default.
    /// </summary>
    public const int MaxBytes = 16 * 1024;

    /// <summary>The largest integer that every JSON parser reads exactly (RFC 8259 §6). A larger argument gets no header.</summary>
    private const decimal MaxSafeInteger = (1L << 53) - 1;

    /// <summary>The list that the headers are added to.</summary>
    private readonly List<HeaderField> _fields;

    /// <summary>The JSON reader, positioned on the token that was read last.</summary>
    private Utf8JsonReader _json;

    /// <summary>The number of bytes in the headers that have been added so far.</summary>
    private int _bytes;

    private ArgumentReader(in ReadOnlySequence<byte> arguments, List<HeaderField> fields)
    {
        _fields = fields;
        _json = new Utf8JsonReader(arguments, MessageScanner.Options);
    }

    /// <summary>Adds a header for each argument that the tool's schema marks with <c>x-mcp-header</c>, if the call has it and it is not null.</summary>
    /// <param name="parameters">The tool's parameters that are marked to be sent in headers too.</param>
    /// <param name="message">The <c>tools/call</c> request.</param>
    /// <param name="fields">The list that the headers are added to.</param>
    /// <returns>A sentence for the client that says what is wrong with the call; null if nothing is.</returns>
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
            return "An argument that the server wants in a header is not valid Unicode: it contains only half of a surrogate pair.";
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
                return "An argument that the server wants in a header is in the call twice. Send it once.";
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

    /// <summary>Returns the parameter that the reader is at, if it or a property in it is sent in a header; otherwise null.</summary>
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
