namespace McpProxyFast.Transport;

/// <summary>What has arrived on a connection that nobody is reading.</summary>
internal enum Arrival : byte
{
    Nothing,
    Bytes,
    End,
}
