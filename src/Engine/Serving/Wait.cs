namespace McpProxyFast.Serving;

/// <summary>What the deadline of a connection is for.</summary>
internal enum Wait : byte
{
    /// <summary>There is no deadline.</summary>
    None,

    /// <summary>The first byte of a request. Over: the connection ends.</summary>
    Idle,

    /// <summary>The rest of a request's head, or of a small body. Over: 408.</summary>
    Request,

    /// <summary>The upstream's answer. Over: 504.</summary>
    Response,

    /// <summary>The client takes what it is sent. Over without a byte taken: the connection is cut.</summary>
    ClientWrite,

    /// <summary>The upstream takes what it is sent. Over without a byte taken: 504.</summary>
    UpstreamWrite,

    /// <summary>The last bytes of a request whose answer is here already. Over: the upstream connection ends.</summary>
    LastBytes,

    /// <summary>The rest of a request that was answered early. Over: the connection ends.</summary>
    Linger,
}
