namespace McpProxyFast.EndToEnd.Reporting;

/// <summary>A subject that was not measured, at all or in one scenario, and why.</summary>
internal sealed record LeftOut(string Subject, string? Scenario, string Reason)
{
    public override string ToString() => Scenario is null ? $"{Subject}: left out, {Reason}" : $"{Subject}: left out of “{Scenario}”, {Reason}";
}
