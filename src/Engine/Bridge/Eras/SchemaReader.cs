using System.Buffers;
using System.Diagnostics;
using System.Text.Json;
using McpProxyFast.Bridge.Messages;
using McpProxyFast.Http1;

namespace McpProxyFast.Bridge.Eras;

/// <summary>Finds the <c>x-mcp-header</c> annotations of a tool's <c>inputSchema</c> (revision 2026-07-28, Streamable HTTP, "Schema Extension").</summary>
internal ref struct SchemaReader
{
    /// <summary>The maximum number of headers for one tool. A tool with more is rejected. By default a request may have 128 header fields in all.</summary>
    public const int MaxHeaders = 64;

    /// <summary>The header names that have been read. Each name may occur only once; case does not count.</summary>
    private readonly HashSet<string> _names;

    /// <summary>The JSON reader, positioned on the token that was read last.</summary>
    private Utf8JsonReader _json;

    /// <summary>The first fault that was found, as a sentence; null if none was found.</summary>
    private string? _fault;

    private SchemaReader(in ReadOnlySequence<byte> schema)
    {
        _names = new HashSet<string>(StringComparer.OrdinalIgnoreCase);
        _json = new Utf8JsonReader(schema, MessageScanner.Options);
    }

    /// <summary>Reads a tool's schema.</summary>
    /// <param name="schema">The raw JSON of the schema, an object of a message that has been scanned.</param>
    /// <param name="fault">The rule that the annotations break; null if they break none.</param>
    /// <returns>The parameters that are sent in headers; null if there is a fault.</returns>
    public static ToolParameters? Read(in ReadOnlySequence<byte> schema, out string? fault)
    {
        var reader = new SchemaReader(schema);
        var root = new ToolParameters();
        try
        {
            reader._json.Read();
            reader.ReadSchema(root);
            if (root.Header is not null)
            {
                reader.Fail("x-mcp-header stands at the root of the schema, not at a parameter.");
            }
        }
        catch (InvalidOperationException)
        {
            reader.Fail("a name in its schema is not valid Unicode.");
        }

        fault = reader._fault;
        return fault is null ? root : null;
    }

    /// <summary>Reads the root schema, or a schema that is reached from it only through <c>properties</c>. Only such schemas may be annotated.</summary>
    private void ReadSchema(ToolParameters parameter)
    {
        Debug.Assert(_json.TokenType is JsonTokenType.StartObject, "The reader is at the start of a schema.");
        bool isPrimitive = false;
        while (_json.Read() && _json.TokenType is JsonTokenType.PropertyName)
        {
            string keyword = _json.GetString()!;
            _json.Read();
            switch (keyword)
            {
                case "x-mcp-header":
                    parameter.Header = ReadName();
                    break;
                case "type":
                    isPrimitive = ReadIsPrimitive();
                    break;
                case "properties" when _json.TokenType is JsonTokenType.StartObject:
                    ReadProperties(parameter);
                    break;
                default:
                    ReadElsewhere(keyword);
                    break;
            }
        }

        if (parameter.Header is not null && !isPrimitive)
        {
            Fail("x-mcp-header stands at a parameter that is neither a string nor an integer nor a boolean.");
        }
    }

    private void ReadProperties(ToolParameters parameter)
    {
        while (_json.Read() && _json.TokenType is JsonTokenType.PropertyName)
        {
            string name = _json.GetString()!;
            _json.Read();
            if (_json.TokenType is not JsonTokenType.StartObject)
            {
                _json.Skip();
                continue;
            }

            var property = new ToolParameters();
            ReadSchema(property);
            if (!property.IsEmpty)
            {
                parameter.Properties[name] = property;
            }
        }
    }

    private string? ReadName()
    {
        if (_json.TokenType is not JsonTokenType.String)
        {
            _json.Skip();
            Fail("the value of x-mcp-header is not a string.");
            return null;
        }

        string name = _json.GetString()!;
        if (!Grammar.IsToken(name))
        {
            Fail("the value of x-mcp-header cannot be part of a header's name (RFC 9110 §5.1).");
            return null;
        }

        if (!_names.Add(name) || _names.Count > MaxHeaders)
        {
            Fail($"x-mcp-header names a header twice, or more than {MaxHeaders} headers.");
            return null;
        }

        return name;
    }

    /// <summary>Whether a <c>type</c> is string, integer or boolean, or a list with at least one of these and nothing else but null.</summary>
    private bool ReadIsPrimitive()
    {
        if (_json.TokenType is not JsonTokenType.StartArray)
        {
            bool isPrimitive = IsPrimitiveName();
            _json.Skip();
            return isPrimitive;
        }

        bool areAll = true;
        int count = 0;
        while (_json.Read() && _json.TokenType is not JsonTokenType.EndArray)
        {
            bool isNull = _json.TokenType is JsonTokenType.String && _json.ValueTextEquals("null"u8);
            areAll &= isNull || IsPrimitiveName();
            count += isNull ? 0 : 1;
            _json.Skip();
        }

        return areAll && count > 0;
    }

    private readonly bool IsPrimitiveName() => _json.TokenType is JsonTokenType.String
        && (_json.ValueTextEquals("string"u8) || _json.ValueTextEquals("integer"u8) || _json.ValueTextEquals("boolean"u8));

    /// <summary>Reads a keyword other than <c>x-mcp-header</c>, <c>type</c> and <c>properties</c>. An annotation inside its value breaks a rule.</summary>
    private void ReadElsewhere(string keyword)
    {
        // The values of these keywords are data, not schemas, so a member x-mcp-header in them is no annotation.
        if (keyword is "default" or "const" or "enum" or "examples" or "example")
        {
            _json.Skip();
            return;
        }

        int depth = _json.CurrentDepth;
        if (_json.TokenType is not (JsonTokenType.StartObject or JsonTokenType.StartArray))
        {
            return;
        }

        while (_json.Read() && _json.CurrentDepth > depth)
        {
            if (_json.TokenType is JsonTokenType.PropertyName && _json.ValueTextEquals("x-mcp-header"u8))
            {
                _json.Read();
                if (_json.TokenType is JsonTokenType.String)
                {
                    Fail("x-mcp-header stands at a schema that is not reached through properties alone.");
                }
            }
        }
    }

    private void Fail(string reason) => _fault ??= reason;
}
