namespace McpProxyFast.Serving;

/// <summary>What must be cancelled or ended on a client connection after a decision about its exchange. Each may be done late, and more than once.</summary>
[Flags]
internal enum Due
{
    None = 0,

    /// <summary>Cancel the wait for something other than the peers, such as a credential.</summary>
    SlowPath = 1,

    /// <summary>Cancel the read from the client.</summary>
    ClientRead = 2,

    /// <summary>Cancel the write to the client. Set only if nothing more is to be sent to it.</summary>
    ClientFlush = 4,

    /// <summary>Cancel the write to the upstream.</summary>
    UpstreamFlush = 8,

    /// <summary>Cancel the read from the upstream.</summary>
    UpstreamRead = 16,

    /// <summary>Abort the client's connection.</summary>
    ClientAbort = 32,

    /// <summary>Check whether the client has closed its side after bytes that have not been received yet.</summary>
    ClientEnd = 64,

    /// <summary>Cancel every wait of the main loop and the pump, except a write to the client, because the client may still get an answer.</summary>
    Waits = SlowPath | ClientRead | UpstreamFlush | UpstreamRead,
}
