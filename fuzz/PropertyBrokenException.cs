namespace McpProxyFast.Fuzz;

/// <summary>A property that should hold for every input does not hold for this one.</summary>
internal sealed class PropertyBrokenException(string message) : Exception(message)
{
    /// <summary>States one part of a property.</summary>
    public static void Require(bool holds, string property)
    {
        if (!holds)
        {
            throw new PropertyBrokenException(property);
        }
    }
}
