namespace McpProxyFast.Harness;

/// <summary>A message head in lines.</summary>
public sealed record LenientHead(string[] Lines)
{
    public string StartLine => Lines[0];

    /// <summary>The value of a field; empty where it is missing.</summary>
    public string Field(string name) =>
        Lines.Skip(1).FirstOrDefault(line => line.StartsWith(name + ":", StringComparison.OrdinalIgnoreCase))?[(name.Length + 1)..].Trim() ?? "";
}
