namespace McpProxyFast.EndToEnd.Measuring;

/// <summary>One measurement of one subject in one scenario: its figures, or why there are none.</summary>
/// <param name="Scenario">Its name.</param>
/// <param name="Subject">Its name.</param>
/// <param name="Round">Counted from 0.</param>
/// <param name="Metrics">The figures.</param>
/// <param name="Error">What the subject did wrong. Fails the run.</param>
/// <param name="TooSlow">Why there is no figure though nothing was wrong. Said in the results, and no failure: other programs may have had the machine.</param>
internal sealed record Measurement(
    string Scenario,
    string Subject,
    int Round,
    IReadOnlyDictionary<string, double> Metrics,
    string? Error = null,
    string? TooSlow = null)
{
    public bool HasFigures => Error is null && TooSlow is null;
}
