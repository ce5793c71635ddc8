namespace McpProxyFast.Transport;

/// <summary>
/// Identifies the event loop that serves a connection, for code that must not know event loops: it compares affinities and passes them on. If a client's and an
/// upstream's connection have the same one, a single thread serves both.
/// </summary>
internal abstract class Affinity;
