using McpProxyFast.EndToEnd.Running;
using McpProxyFast.EndToEnd.Scenarios;

namespace McpProxyFast.EndToEnd.Subjects;

/// <summary>Something that is measured: how it is started, which version it is, and what it can do.</summary>
internal abstract class Subject
{
    /// <summary>The name under which it is chosen, and stands in the results file.</summary>
    public abstract string Name { get; }

    public abstract string Title { get; }

    /// <summary>Why it can't be measured here; null when it can.</summary>
    public virtual string? WhyLeftOut() => null;

    public abstract string Version();

    /// <summary>The runtime's settings, or whatever else decides how it runs: told in the results.</summary>
    public abstract string Settings { get; }

    public virtual bool Supports(Scenario scenario) => true;

    /// <summary>What to start; null when the load goes straight to the origin.</summary>
    public abstract Command? CommandFor(Site site);
}
