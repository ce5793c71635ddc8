using System.ComponentModel;
using ModelContextProtocol.Server;

namespace McpProxyFast.Mcp.Tests.Support;

/// <summary>The resources and prompts of the test server.</summary>
[McpServerResourceType]
[McpServerPromptType]
public sealed class ServerContents
{
    [McpServerResource(UriTemplate = "notes://today", Name = "today"), Description("A resource that can be subscribed to.")]
    public static string Today() => "water the plants";

    [McpServerResource(UriTemplate = "notes://days/{day}", Name = "day"), Description("A resource template.")]
    public static string Day(string day) => $"notes of {day}";

    [McpServerPrompt(Name = "greet"), Description("A prompt with an argument.")]
    public static string Greet(string name) => $"Greet {name} politely.";
}
