using McpProxyFast.EndToEnd.Roles.Load;

namespace McpProxyFast.EndToEnd.Scenarios;

/// <summary>One row of the results: a load, what the subject has to do meanwhile, and what is counted.</summary>
internal sealed record Scenario(string Name, string Title, string Unit, LoadPlan Load, Variant Variant = Variant.Plain);
