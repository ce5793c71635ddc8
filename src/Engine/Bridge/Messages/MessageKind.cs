namespace McpProxyFast.Bridge.Messages;

/// <summary>The kinds of JSON-RPC messages.</summary>
internal enum MessageKind
{
    /// <summary>Not a valid message; <see cref="RpcHead.Fault"/> says why.</summary>
    Broken,

    /// <summary>A request: it has a method and an id, and wants an answer.</summary>
    Request,

    /// <summary>A notification: it has a method and no id.</summary>
    Notification,

    /// <summary>A response with a result.</summary>
    Response,

    /// <summary>A response with an error, to a request or to something that could not be read.</summary>
    ErrorResponse,

    /// <summary>A batch: an array of messages (JSON-RPC 2.0 §6; only in MCP 2025-03-26). <see cref="BatchReader"/> splits it.</summary>
    Batch,
}
