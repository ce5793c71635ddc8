namespace McpProxyFast.EndToEnd.Measuring;

/// <summary>One measurement of one subject in one scenario: its figures, or why there are none.</summary>
internal sealed record Measurement(string Scenario, string Subject, int Round, IReadOnlyDictionary<string, double> Metrics, string? Error);
