namespace McpProxyFast.Transport;

/// <summary>What serves a connection, as far as others may know: two connections of the same affinity are cheap to join. Only compared and handed on.</summary>
internal abstract class Affinity;
