using System.Buffers;
using System.Diagnostics;
using System.Text.Json;
using McpProxyFast.Bridge.Messages;
using McpProxyFast.Http1;

namespace McpProxyFast.Bridge.Eras;

/// <summary>Finds the <c>x-mcp-header</c> annotations of a tool's <c>inputSchema</c> (revision 2026-07-28, Streamable HTTP, "Schema Extension").</summary>
internal ref struct SchemaReader
{
    /// <summary>Most headers of one tool: a request's head has room for 128 fields in all.</summary>
    public const int MaxHeaders = 64;

    /// <summary>Names that have been given, since each must be given once, in any case.</summary>
    private readonly HashSet<string> _names;

    /// <summary>Stands on what was read last.</summary>
    private Utf8JsonReader _json;

    /// <summary>The first rule that is broken; null for none.</summary>
    private string? _fault;

    private SchemaReader(in ReadOnlySequence<byte> schema)
    {
        _names = new HashSet<string>(StringComparer.OrdinalIgnoreCase);
        _json = new Utf8JsonReader(schema, MessageScanner.Options);
    }

    /// <summary>Reads a schema.</summary>
    /// <param name="schema">A JSON object, of a message that has been scanned.</param>
    /// <param name="fault">Which rule its annotations break; null for none.</param>
    /// <returns>Null if there is a fault.</returns>
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
                reader.Fail("x-mcp-header stands at the schema's root, not at a parameter.");
            }
        }
        catch (InvalidOperationException)
        {
            reader.Fail("a name in its schema is not valid Unicode.");
        }

        fault = reader._fault;
        return fault is null ? root : null;
    }

    /// <summary>Reads a schema that is reached by properties alone.</summary>
    private void ReadSchema(ToolParameters parameter)
    {
        Debug.Assert(_json.TokenType is JsonTokenType.StartObject, "It stands on a schema.");
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
            Fail($"x-mcp-header names one header twice, or more than {MaxHeaders}.");
            return null;
        }

        return name;
    }

    /// <summary>Whether a type is one that a header can carry, or is so if it is not null.</summary>
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

    /// <summary>Reads what is not reached by properties alone, where an annotation must not be.</summary>
    private void ReadElsewhere(string keyword)
    {
        // These hold values, not schemas.
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
                    Fail("x-mcp-header stands where no chain of properties leads to it.");
                }
            }
        }
    }

    private void Fail(string reason) => _fault ??= reason;
}
