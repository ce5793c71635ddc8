using System.Buffers;
using System.Collections.Concurrent;
using System.Text.Json;
using McpProxyFast.Bridge.Messages;

namespace McpProxyFast.Bridge.Eras;

/// <summary>Remembers which arguments of the server's tools are sent in headers too (<c>x-mcp-header</c>). Thread-safe.</summary>
internal sealed class ToolList
{
    /// <summary>
    /// The maximum number of tools that are kept. Further ones are called without these headers. Tools without annotations are not kept at all.
    /// </summary>
    public const int MaxTools = 10_000;

    /// <summary>The annotated parameters by the tool's name. They are replaced when the server lists the tool again.</summary>
    private readonly ConcurrentDictionary<string, ToolParameters> _tools = new(StringComparer.Ordinal);

    /// <summary>Reads an answer to <c>tools/list</c>, which is one page of the server's list.</summary>
    /// <param name="answer">A response that has been scanned.</param>
    /// <returns>The tools whose annotations break a rule. They are called without such headers.</returns>
    public IReadOnlyList<RejectedTool> Learn(in ReadOnlySequence<byte> answer)
    {
        if (JsonSlice.Find(answer, "result"u8) is not { } result
            || JsonSlice.Find(result.Value, "tools"u8) is not { Kind: JsonTokenType.StartArray } tools)
        {
            return [];
        }

        var rejected = new List<RejectedTool>();
        var json = new Utf8JsonReader(tools.Value, MessageScanner.Options);
        json.Read();
        while (json.Read() && json.TokenType is not JsonTokenType.EndArray)
        {
            long start = json.TokenStartIndex;
            json.Skip();
            if (LearnTool(tools.Value.Slice(start, json.BytesConsumed - start)) is { } fault)
            {
                rejected.Add(fault);
            }
        }

        return rejected;
    }

    /// <summary>Returns which arguments of a tool are sent in headers; null if none are, or the tool is not known.</summary>
    public ToolParameters? Find(string tool) => _tools.GetValueOrDefault(tool);

    private RejectedTool? LearnTool(in ReadOnlySequence<byte> tool)
    {
        if (JsonSlice.Find(tool, "name"u8)?.Text is not { } name)
        {
            return null;
        }

        _tools.TryRemove(name, out _);
        if (JsonSlice.Find(tool, "inputSchema"u8) is not { Kind: JsonTokenType.StartObject } schema)
        {
            return null;
        }

        ToolParameters? read = SchemaReader.Read(schema.Value, out string? fault);
        if (fault is not null)
        {
            return new RejectedTool(name, fault);
        }

        if (read is { IsEmpty: false } && _tools.Count >= MaxTools)
        {
            return new RejectedTool(name, $"there are more than {MaxTools} tools with x-mcp-header.");
        }

        if (read is { IsEmpty: false })
        {
            _tools[name] = read;
        }

        return null;
    }
}
