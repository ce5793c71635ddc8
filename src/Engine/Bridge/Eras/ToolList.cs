using System.Buffers;
using System.Collections.Concurrent;
using System.Text.Json;
using McpProxyFast.Bridge.Messages;

namespace McpProxyFast.Bridge.Eras;

/// <summary>What is known of a server's tools: which of their arguments are sent in headers too (<c>x-mcp-header</c>). Any thread may use it.</summary>
internal sealed class ToolList
{
    /// <summary>Most tools whose annotations are kept; those without any are not kept at all.</summary>
    public const int MaxTools = 10_000;

    /// <summary>Tools with annotations, by name; replaced when the tool is seen again.</summary>
    private readonly ConcurrentDictionary<string, ToolParameters> _tools = new(StringComparer.Ordinal);

    /// <summary>Reads an answer to <c>tools/list</c>, of which there may be several, one for each page.</summary>
    /// <param name="answer">A response that has been scanned.</param>
    /// <returns>Tools whose annotations break a rule. They are called without such headers.</returns>
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

    /// <summary>Which arguments of a tool are sent in headers; null for none, or for a tool that has not been seen.</summary>
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
