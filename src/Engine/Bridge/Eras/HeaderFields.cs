namespace McpProxyFast.Bridge.Eras;

/// <summary>The HTTP header fields for the POST of a message, or the reason why the message cannot be sent.</summary>
/// <param name="Fields">The fields; empty if there is a fault.</param>
/// <param name="Fault">
/// A sentence for the client that says why the message cannot be sent; null if it can. The client gets it in an error with the code -32602.
/// </param>
internal sealed record HeaderFields(IReadOnlyList<HeaderField> Fields, string? Fault);
