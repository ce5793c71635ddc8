using McpProxyFast.EndToEnd.Running;

namespace McpProxyFast.EndToEnd.Subjects;

/// <summary>The project's command as a bridge: <c>mcpproxyfast stdio</c>.</summary>
internal sealed class BridgeSubject(string name, string title, string file) : Subject
{
    public override string Name => name;

    public override string Title => title;

    public override string Settings => "native file, no flags but --target-uri";

    public static BridgeSubject Native() => new("mcpproxyfast-aot", "McpProxyFast (AOT)", Repository.NativeFile);

    public override string? WhyLeftOut() => File.Exists(file) ? null : $"{file} is not there: .ci/publish-native";

    public override string Version() => new Command(file, ["--version"]).Output();

    public override Command CommandFor(Site site) => new(file, ["stdio", "bench", "--target-uri", $"{site.UpstreamUrl}/mcp"]);
}
