namespace McpProxyFast.EndToEnd.Roles.BridgeLoad;

/// <summary>What the load of a bridge writes on its standard output.</summary>
/// <param name="Metrics">The figures by load, and by <see cref="Measuring.Metric"/>; those of the start and of rest under <see cref="BridgeLoadRole.AtRest"/>.</param>
/// <param name="Error">What was wrong; null for nothing. The figures are those from before it.</param>
internal sealed record BridgeResult(IReadOnlyDictionary<string, Dictionary<string, double>> Metrics, string? Error = null);
