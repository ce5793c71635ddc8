namespace McpProxyFast.Transport;

/// <summary>What has come on a side that nobody reads.</summary>
internal enum Arrival : byte
{
    Nothing,
    Bytes,
    End,
}
