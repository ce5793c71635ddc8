using McpProxyFast.Outcomes;

namespace McpProxyFast.Upstream;

/// <summary>What became of a wish for a new upstream connection.</summary>
/// <param name="Connection">The connection; null where there is none.</param>
/// <param name="Fault">Why there is none; None where there is one.</param>
/// <param name="Failure">For the log; null where nothing more is known.</param>
internal readonly record struct LeaseResult(UpstreamConnection? Connection, FaultReason Fault, ConnectFailure? Failure);
