namespace McpProxyFast.Bridge.Eras;

/// <summary>A field that a POST is to have.</summary>
/// <param name="Name">Its name.</param>
/// <param name="Value">Its value: visible ASCII and blanks within.</param>
internal readonly record struct HeaderField(string Name, string Value);
