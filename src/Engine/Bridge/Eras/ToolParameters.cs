namespace McpProxyFast.Bridge.Eras;

/// <summary>Which arguments of a tool are sent in headers as well: a tree of the schema's properties, only with those that lead to one.</summary>
internal sealed class ToolParameters
{
    /// <summary>The header's name, without <c>Mcp-Param-</c>; null if this property is sent in none.</summary>
    public string? Header { get; set; }

    /// <summary>Properties of this one, by name.</summary>
    public Dictionary<string, ToolParameters> Properties { get; } = new(StringComparer.Ordinal);

    /// <summary>Whether nothing of it is sent in a header.</summary>
    public bool IsEmpty => Header is null && Properties.Count == 0;
}
