namespace McpProxyFast.Harness;

/// <summary>What carries the bytes between a test and the engine, on the client's side and on the upstream's.</summary>
public enum Over
{
    /// <summary>A host's in-memory pipes, with their default options.</summary>
    Pipes,

    /// <summary>The same, but whoever completes an operation runs what waited for it, at once and on the same stack.</summary>
    InlinePipes,

    /// <summary>A host's pipe readers and writers over network streams.</summary>
    StreamPipes,

    /// <summary>TCP on the loopback interface: on Linux the engine's event loops.</summary>
    Sockets,

    /// <summary>TCP on the loopback interface without the event loops, as on every other system.</summary>
    PortableSockets,

    /// <summary>Clients over plain TCP, an upstream behind TLS.</summary>
    Tls,

    /// <summary>Clients whose TLS the host ends before it hands them over as pipes, an upstream over plain TCP.</summary>
    HostTls,
}

/// <summary>What is true of a kind of channel.</summary>
public static class OverRules
{
    /// <summary>The engine listens for clients by itself.</summary>
    public static bool Listens(this Over over) => over is Over.Sockets or Over.PortableSockets or Over.Tls;

    /// <summary>The engine connects to the upstream by itself.</summary>
    public static bool Connects(this Over over) => over.Listens() || over is Over.HostTls;

    /// <summary>No system stands between the test and the engine: what one side has sent, the other has.</summary>
    public static bool IsInMemory(this Over over) => over is Over.Pipes or Over.InlinePipes;
}
