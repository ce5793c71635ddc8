namespace McpProxyFast.EndToEnd.Roles.Load;

/// <summary>What the load role writes on its standard output: figures, or why there are none.</summary>
internal sealed record LoadResult(IReadOnlyDictionary<string, double> Metrics, string? Error);
