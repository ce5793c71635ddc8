namespace McpProxyFast.Serving;

/// <summary>What a connection's deadline is for, and what happens when it expires.</summary>
internal enum Wait : byte
{
    /// <summary>There is no deadline.</summary>
    None,

    /// <summary>The first byte of a request. Expired: the connection ends.</summary>
    Idle,

    /// <summary>The rest of a request's head, or of a small body. Expired: 408.</summary>
    Request,

    /// <summary>The upstream's response. Expired: 504.</summary>
    Response,

    /// <summary>The client reads what it is sent. Expired without a byte taken: the connection is cut.</summary>
    ClientWrite,

    /// <summary>The upstream reads what it is sent. Expired without a byte taken: 504.</summary>
    UpstreamWrite,

    /// <summary>The last bytes of a request whose response has already arrived. Expired: the upstream connection ends.</summary>
    LastBytes,

    /// <summary>The rest of a request that was answered early. Expired: the connection ends.</summary>
    Linger,
}
