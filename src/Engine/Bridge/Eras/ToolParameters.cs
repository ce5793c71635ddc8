namespace McpProxyFast.Bridge.Eras;

/// <summary>A node in the tree of a tool's parameters that are sent in headers too: such a parameter, or an object with such parameters in it.</summary>
internal sealed class ToolParameters
{
    /// <summary>The header's name, without <c>Mcp-Param-</c>; null if the parameter itself is not sent in a header.</summary>
    public string? Header { get; set; }

    /// <summary>The nodes in this object, by the name of the property.</summary>
    public Dictionary<string, ToolParameters> Properties { get; } = new(StringComparer.Ordinal);

    /// <summary>Whether neither this parameter nor one in it is sent in a header.</summary>
    public bool IsEmpty => Header is null && Properties.Count == 0;
}
