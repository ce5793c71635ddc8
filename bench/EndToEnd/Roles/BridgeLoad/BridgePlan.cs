using System.Text.Json;
using McpProxyFast.EndToEnd.Running;

namespace McpProxyFast.EndToEnd.Roles.BridgeLoad;

/// <summary>What the load of a bridge is told on its standard input, as one line of JSON.</summary>
internal sealed record BridgePlan
{
    /// <summary>The bridge to start; null to speak HTTP to the server directly.</summary>
    public Command? Bridge { get; init; }

    /// <summary>The cores of the bridge, as <c>taskset</c> writes them; null for all.</summary>
    public string? BridgeCores { get; init; }

    public required int OriginPort { get; init; }

    public required int OriginProcess { get; init; }

    /// <summary>The loads, by name, in their order; all are put on the same process.</summary>
    public required IReadOnlyList<string> Loads { get; init; }

    /// <summary>How often the bridge is started; the last one started is measured.</summary>
    public int Starts { get; init; } = 3;

    /// <summary>How long it is left alone after the handshake before its memory is read.</summary>
    public double IdleSeconds { get; init; } = 2;

    public double WarmUpSeconds { get; init; }

    public double MaxWarmUpSeconds { get; init; }

    public double Seconds { get; init; }

    public static BridgePlan Read(TextReader input) =>
        JsonSerializer.Deserialize<BridgePlan>(input.ReadLine() ?? "null") ?? throw new InvalidDataException("No plan was given.");
}
