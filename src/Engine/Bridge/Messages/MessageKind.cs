namespace McpProxyFast.Bridge.Messages;

/// <summary>What a JSON-RPC message is.</summary>
internal enum MessageKind
{
    /// <summary>No message: <see cref="RpcHead.Fault"/> says why.</summary>
    Broken,

    /// <summary>It has a method and an id, and wants an answer.</summary>
    Request,

    /// <summary>It has a method and no id.</summary>
    Notification,

    /// <summary>It answers a request with a result.</summary>
    Response,

    /// <summary>It answers a request, or something that could not be read, with an error.</summary>
    ErrorResponse,

    /// <summary>An array of messages (JSON-RPC 2.0 §6; MCP 2025-03-26 alone). Its elements are read one by one, see <see cref="BatchReader"/>.</summary>
    Batch,
}
