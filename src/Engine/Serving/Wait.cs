namespace McpProxyFast.Serving;

/// <summary>What a connection waits for while it has a deadline, and what happens when that expires.</summary>
internal enum Wait : byte
{
    /// <summary>There is no deadline.</summary>
    None,

    /// <summary>Waits for the first byte of a request. Expired: the connection ends.</summary>
    Idle,

    /// <summary>Waits for the rest of a request's head, or of a small body. Expired: 408.</summary>
    Request,

    /// <summary>Waits for the upstream's response. Expired: 504.</summary>
    Response,

    /// <summary>Waits until the client reads what is sent to it. Expired: the connection is cut. Extended if the client has read some bytes.</summary>
    ClientWrite,

    /// <summary>Waits until the upstream reads what is sent to it. Expired: 504. Extended if the upstream has read some bytes.</summary>
    UpstreamWrite,

    /// <summary>
    /// Waits until the last bytes of a request are sent whose response has already arrived. Expired: the upstream connection carries no other request.
    /// </summary>
    LastBytes,

    /// <summary>Waits for the rest of a request that was answered early. Expired: the connection ends.</summary>
    Linger,
}
