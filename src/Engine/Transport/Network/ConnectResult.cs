using McpProxyFast.Outcomes;

namespace McpProxyFast.Transport.Network;

/// <summary>What became of an attempt to connect: a connection, or why there is none.</summary>
internal readonly record struct ConnectResult(Connection? Connection, FaultReason Fault);
