namespace McpProxyFast.House.Tests;

/// <summary>A fact about optimised code: skipped in Debug, where the compiler makes objects of async state machines, and a count of allocations would count those.</summary>
[AttributeUsage(AttributeTargets.Method)]
internal sealed class OptimisedFactAttribute : FactAttribute
{
    public OptimisedFactAttribute() => Skip = Optimised.SkipReason;
}

/// <summary>As <see cref="OptimisedFactAttribute"/>, for theories.</summary>
[AttributeUsage(AttributeTargets.Method)]
internal sealed class OptimisedTheoryAttribute : TheoryAttribute
{
    public OptimisedTheoryAttribute() => Skip = Optimised.SkipReason;
}

/// <summary>Whether the engine was built optimised, as these tests were.</summary>
internal static class Optimised
{
#if DEBUG
    public const string? SkipReason = "Unoptimised, async state machines are objects, and would be counted as allocations of the engine.";
#else
    public const string? SkipReason = null;
#endif
}
