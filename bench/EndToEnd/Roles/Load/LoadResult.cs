namespace McpProxyFast.EndToEnd.Roles.Load;

/// <summary>What the load role writes on its standard output: figures, or why there are none.</summary>
/// <param name="Metrics">The figures, by <see cref="Measuring.Metric"/>.</param>
/// <param name="Error">What was wrong: an answer, or that there was none.</param>
/// <param name="TooSlow">Why nothing could be measured though nothing was wrong.</param>
internal sealed record LoadResult(IReadOnlyDictionary<string, double> Metrics, string? Error = null, string? TooSlow = null);
