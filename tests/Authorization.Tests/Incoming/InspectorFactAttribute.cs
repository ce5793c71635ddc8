using Xunit;

namespace McpProxyFast.Authorization.Tests.Incoming;

/// <summary>A test that needs the MCP inspector on the path.</summary>
[AttributeUsage(AttributeTargets.Method)]
internal sealed class InspectorFactAttribute : FactAttribute
{
    public const string Command = "mcp-inspector";

    public InspectorFactAttribute()
    {
        string[] folders = (Environment.GetEnvironmentVariable("PATH") ?? "").Split(Path.PathSeparator);
        if (!folders.Any(folder => File.Exists(Path.Combine(folder, Command))))
        {
            Skip = "The MCP inspector is not on the path: npm install --global @modelcontextprotocol/inspector";
        }
    }
}
