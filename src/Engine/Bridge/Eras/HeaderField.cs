namespace McpProxyFast.Bridge.Eras;

/// <summary>An HTTP header field that is added to a POST.</summary>
/// <param name="Name">The field's name.</param>
/// <param name="Value">The field's value: visible ASCII and spaces, with no space at the start or the end.</param>
internal readonly record struct HeaderField(string Name, string Value);
