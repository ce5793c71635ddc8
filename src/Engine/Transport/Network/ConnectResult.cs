using McpProxyFast.Outcomes;

namespace McpProxyFast.Transport.Network;

/// <summary>What became of an attempt to connect: a connection, or why there is none.</summary>
/// <param name="Connection">The connection; null where there is none.</param>
/// <param name="Fault">Why there is none; None where there is one.</param>
/// <param name="Failure">For the log: which addresses were tried, and what came of each; null where nothing more is known.</param>
internal readonly record struct ConnectResult(Connection? Connection, FaultReason Fault, ConnectFailure? Failure = null);
