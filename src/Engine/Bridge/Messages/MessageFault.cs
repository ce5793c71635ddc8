namespace McpProxyFast.Bridge.Messages;

/// <summary>Why something is not a valid JSON-RPC message. The sentence for each is in <see cref="MessageFaults"/>.</summary>
internal enum MessageFault
{
    /// <summary>The message is valid.</summary>
    None,

    /// <summary>Some bytes of the message are not UTF-8.</summary>
    NotUtf8,

    /// <summary>The message is not JSON, or is nested too deeply.</summary>
    NotJson,

    /// <summary>The message is neither an object nor an array.</summary>
    NotAnObject,

    /// <summary>The message is an empty array.</summary>
    EmptyBatch,

    /// <summary>The message does not have <c>"jsonrpc": "2.0"</c>.</summary>
    NotVersion2,

    /// <summary>A member that routing depends on occurs twice, or in another letter case (<c>Method</c>). Parsers differ in which of them they take.</summary>
    MemberTwice,

    /// <summary>The id is neither a string nor a number, or is missing or null although it is required.</summary>
    BadId,

    /// <summary>The id is longer than <see cref="MessageScanner.MaxTextBytes"/>.</summary>
    IdTooLong,

    /// <summary>The id is a number that is too large for parsers to read exactly.</summary>
    IdOutOfRange,

    /// <summary>The method is not a string, is empty, or is too long.</summary>
    BadMethod,

    /// <summary>The message has none of the members method, result and error, or more than one of them.</summary>
    NeitherRequestNorResponse,
}
