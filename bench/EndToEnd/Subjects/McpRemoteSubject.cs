using System.Text.Json;
using McpProxyFast.EndToEnd.Running;

namespace McpProxyFast.EndToEnd.Subjects;

/// <summary>npm <c>mcp-remote</c>, the bridge that most clients' settings name, on the node that is installed beside it.</summary>
internal sealed class McpRemoteSubject : Subject
{
    private static readonly string Folder = Path.Combine(Repository.Root, "bench", "Peers", "node_modules");
    private static readonly string Node = Path.Combine(Folder, "node", "bin", "node");
    private static readonly string Program = Path.Combine(Folder, "mcp-remote", "dist", "proxy.js");

    public override string Name => "mcp-remote";

    public override string Title => "mcp-remote";

    public override string Settings => "--silent: no line of log for each message";

    public override string? WhyLeftOut() => File.Exists(Program) && File.Exists(Node) ? null : "not installed: npm install --prefix bench/Peers";

    public override string Version()
    {
        using JsonDocument package = JsonDocument.Parse(File.ReadAllBytes(Path.Combine(Folder, "mcp-remote", "package.json")));
        return $"mcp-remote {package.RootElement.GetProperty("version").GetString()}, node {new Command(Node, ["--version"]).Output()}";
    }

    public override Command CommandFor(Site site) => new(Node, [Program, $"{site.UpstreamUrl}/mcp", "--allow-http", "--silent"])
    {
        Variables = new Dictionary<string, string> { ["MCP_REMOTE_CONFIG_DIR"] = site.Directory },
    };
}
