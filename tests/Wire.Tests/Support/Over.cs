namespace McpProxyFast.Wire.Tests.Support;

/// <summary>What carries the bytes between a test and the engine.</summary>
public enum Over
{
    /// <summary>Two in-memory pipes a side: a host's own connections.</summary>
    Pipes,

    /// <summary>TCP on the loopback interface: on Linux the engine's event loops.</summary>
    Sockets,
}
