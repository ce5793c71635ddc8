namespace McpProxyFast.Serving;

/// <summary>What is to be woken or ended on a connection because something was decided about it. Each may be done late, and more than once.</summary>
[Flags]
internal enum Due
{
    None = 0,

    /// <summary>Cancel the wait for something other than the peers.</summary>
    SlowPath = 1,

    /// <summary>Cancel the read from the client.</summary>
    ClientRead = 2,

    /// <summary>Cancel the write to the client, which will read nothing more.</summary>
    ClientFlush = 4,

    /// <summary>Cancel the write to the upstream.</summary>
    UpstreamFlush = 8,

    /// <summary>Cancel the read from the upstream.</summary>
    UpstreamRead = 16,

    /// <summary>End the client's connection.</summary>
    ClientAbort = 32,

    /// <summary>Look whether the client has ended behind bytes that cannot be received yet.</summary>
    ClientEnd = 64,

    /// <summary>Everything that the main loop and the pump may wait for, except a write to a client that still gets an answer.</summary>
    Waits = SlowPath | ClientRead | UpstreamFlush | UpstreamRead,
}
