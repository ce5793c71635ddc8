using McpProxyFast.EndToEnd.Roles.Load;
using McpProxyFast.EndToEnd.Running;
using McpProxyFast.EndToEnd.Scenarios;

namespace McpProxyFast.EndToEnd.Subjects;

/// <summary>No proxy at all: what origin and load can do, and so the ceiling of every other figure.</summary>
internal sealed class DirectSubject : Subject
{
    public override string Name => "direct";

    public override string Title => "Direct";

    public override string Settings => "nothing";

    public override string Version() => "no proxy";

    public override bool Supports(Scenario scenario) => scenario is { Variant: Variant.Plain, Load.Kind: not (LoadKind.IdleStreams or LoadKind.ColdStreams) };

    public override Command? CommandFor(Site site) => null;
}
