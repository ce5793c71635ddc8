namespace McpProxyFast.Transport;

/// <summary>Identifies what serves a connection. Joining two connections of the same affinity is cheap. Only compared and passed on.</summary>
internal abstract class Affinity;
