namespace McpProxyFast.Bridge.Eras;

/// <summary>The fields that a message needs as a POST of 2026-07-28, or why it cannot be one.</summary>
/// <param name="Fields">The fields; empty if there is a fault.</param>
/// <param name="Fault">A sentence for the client, which gets -32602; null if there is none.</param>
internal sealed record HeaderFields(IReadOnlyList<HeaderField> Fields, string? Fault);
