namespace McpProxyFast.EndToEnd.Reporting;

/// <summary>A subject that was not measured, at all or in one scenario, and why.</summary>
internal sealed record LeftOut(string Subject, string? Scenario, string Reason)
{
    /// <summary>One line for each subject and reason, with the scenarios that it is about.</summary>
    public static IEnumerable<string> Lines(IEnumerable<LeftOut> all) => all
        .GroupBy(left => (left.Subject, left.Reason), left => left.Scenario)
        .Select(group => $"{group.Key.Subject}: {group.Key.Reason}{ScenariosOf(group)}");

    private static string ScenariosOf(IEnumerable<string?> scenarios) =>
        string.Join(", ", scenarios.OfType<string>().Select(scenario => $"“{scenario}”")) is { Length: > 0 } list ? $": {list}" : string.Empty;
}
