namespace McpProxyFast.Bridge.Messages;

/// <summary>Why something is not a message. What a peer is told of it is in <see cref="MessageFaults"/>.</summary>
internal enum MessageFault
{
    /// <summary>It is a message.</summary>
    None,

    /// <summary>Some of its bytes are not UTF-8.</summary>
    NotUtf8,

    /// <summary>It is not JSON, or nested too deeply.</summary>
    NotJson,

    /// <summary>It is neither an object nor an array.</summary>
    NotAnObject,

    /// <summary>An empty array.</summary>
    EmptyBatch,

    /// <summary>It does not say <c>"jsonrpc": "2.0"</c>.</summary>
    NotVersion2,

    /// <summary>A member that routing depends on is there twice, or once more in another case: readers differ in which one they take.</summary>
    MemberTwice,

    /// <summary>The id is neither a string nor a number, or is null if there must be one.</summary>
    BadId,

    /// <summary>The method is not a string, is empty, or is too long.</summary>
    BadMethod,

    /// <summary>It has neither a method nor a result nor an error, or two of them.</summary>
    NeitherRequestNorResponse,
}
