using McpProxyFast.Outcomes;

namespace McpProxyFast.Transport.Network;

/// <summary>The result of connecting: a connection, or why there is none.</summary>
/// <param name="Connection">The connection; null if there is none.</param>
/// <param name="Fault">Why there is no connection; None if there is one.</param>
/// <param name="Failure">For the log: the addresses tried and the result of each; null if there is a connection, or nothing more is known.</param>
internal readonly record struct ConnectResult(Connection? Connection, FaultReason Fault, ConnectFailure? Failure = null);
