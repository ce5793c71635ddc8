namespace McpProxyFast.Bridge.Eras;

/// <summary>A property of a tool's schema, as a tree: those properties that are sent in a header too, and those that contain such properties.</summary>
internal sealed class ToolParameters
{
    /// <summary>The header's name, without <c>Mcp-Param-</c>; null if this property is not sent in a header.</summary>
    public string? Header { get; set; }

    /// <summary>The nested properties that are in the tree, by name.</summary>
    public Dictionary<string, ToolParameters> Properties { get; } = new(StringComparer.Ordinal);

    /// <summary>Whether neither this property nor a nested one is sent in a header.</summary>
    public bool IsEmpty => Header is null && Properties.Count == 0;
}
