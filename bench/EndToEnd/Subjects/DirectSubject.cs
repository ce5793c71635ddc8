using McpProxyFast.EndToEnd.Running;
using McpProxyFast.EndToEnd.Scenarios;

namespace McpProxyFast.EndToEnd.Subjects;

/// <summary>No proxy at all: what origin and load can do, and so the ceiling of every other figure.</summary>
internal sealed class DirectSubject : Subject
{
    public override string Name => "direct";

    public override string Title => "Direct";

    public override string Version() => "no proxy";

    public override bool Supports(Variant variant) => variant is Variant.Plain;

    public override Command? CommandFor(Site site) => null;
}
