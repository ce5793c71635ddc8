namespace McpProxyFast.Bridge.Eras;

/// <summary>The HTTP header fields for the POST of a message, or the reason why the message cannot be sent.</summary>
/// <param name="Fields">The fields; empty if there is a fault.</param>
/// <param name="Fault">A sentence for the client that says why not (its error has the code -32602); null if the message can be sent.</param>
internal sealed record HeaderFields(IReadOnlyList<HeaderField> Fields, string? Fault);
