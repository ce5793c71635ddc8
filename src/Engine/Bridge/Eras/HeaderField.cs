namespace McpProxyFast.Bridge.Eras;

/// <summary>An HTTP header field that is added to a POST.</summary>
/// <param name="Name">The field's name.</param>
/// <param name="Value">The field's value: visible ASCII, with spaces only inside.</param>
internal readonly record struct HeaderField(string Name, string Value);
