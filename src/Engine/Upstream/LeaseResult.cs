using McpProxyFast.Outcomes;

namespace McpProxyFast.Upstream;

/// <summary>The result of asking for a new upstream connection.</summary>
/// <param name="Connection">The connection; null if there is none.</param>
/// <param name="Fault">Why there is no connection; None if there is one.</param>
/// <param name="Failure">Details of the failure, for the log; null if nothing more is known.</param>
internal readonly record struct LeaseResult(UpstreamConnection? Connection, FaultReason Fault, ConnectFailure? Failure);
