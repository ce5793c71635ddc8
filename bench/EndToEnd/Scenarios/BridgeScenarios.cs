using McpProxyFast.EndToEnd.Roles.BridgeLoad;
using McpProxyFast.EndToEnd.Roles.Load;

namespace McpProxyFast.EndToEnd.Scenarios;

/// <summary>What is measured of bridges between stdio and HTTP, in the order in which it is run and reported.</summary>
internal static class BridgeScenarios
{
    /// <summary>The start, and memory without messages: no load.</summary>
    public static Scenario Rest { get; } = Of(BridgeLoadRole.AtRest, "After the handshake, idle for 2 s", "message");

    public static IReadOnlyList<Scenario> All { get; } =
    [
        Rest,
        Of("call-1", "tools/call, one at a time", "call"),
        Of("call-16", "tools/call, 16 in flight", "call"),
        Of("call-stream", "tools/call answered by a stream of one event, one at a time", "call"),
        Of("notify", "Notifications of the server, 500 a second", "notification"),
    ];

    // The load is the bridge's own role; a proxy's load stands for it where results are reported.
    private static Scenario Of(string name, string title, string unit) => new(name, title, unit, new LoadPlan { Kind = LoadKind.ClosedLoop, Target = "/mcp" });
}
