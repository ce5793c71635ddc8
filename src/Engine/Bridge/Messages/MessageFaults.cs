namespace McpProxyFast.Bridge.Messages;

/// <summary>The error code and the sentence for each <see cref="MessageFault"/>.</summary>
internal static class MessageFaults
{
    /// <summary>The error code of JSON-RPC 2.0 §5.1 for a message that is not JSON.</summary>
    public const int ParseError = -32700;

    /// <summary>The error code of JSON-RPC 2.0 §5.1 for a message that is JSON, but not a valid request.</summary>
    public const int InvalidRequest = -32600;

    /// <summary>Returns the code of the JSON-RPC error that answers the fault.</summary>
    public static int Code(this MessageFault fault) => fault is MessageFault.NotUtf8 or MessageFault.NotJson ? ParseError : InvalidRequest;

    /// <summary>Returns a sentence that says what was wrong and what would be right. It quotes nothing from the message.</summary>
    public static string Sentence(this MessageFault fault) => fault switch
    {
        MessageFault.NotUtf8 => "The message is not UTF-8. Send JSON in UTF-8, one message a line.",
        MessageFault.NotJson => $"The message is not JSON, is nested deeper than {MessageScanner.MaxDepth} levels, or has half of a surrogate pair. "
            + "Send one JSON-RPC message a line.",
        MessageFault.NotAnObject => "The message must be a JSON object, or an array of JSON objects.",
        MessageFault.EmptyBatch => "The batch is empty. Send at least one message in it.",
        MessageFault.NotVersion2 => "The message must have the member \"jsonrpc\": \"2.0\".",
        MessageFault.MemberTwice => "A member by which messages are routed (such as id, method or params.name) occurs twice, or again with other "
            + "capital letters. Send it once.",
        MessageFault.BadId => "The message's id must be a string or a number.",
        MessageFault.IdTooLong => $"The message's id is too long. It may have at most {MessageScanner.MaxTextBytes} bytes, counted as it stands in the JSON.",
        MessageFault.IdOutOfRange => "The message's id is a number that is too large. Use a string, or a number of at most 28 digits.",
        MessageFault.BadMethod => $"The message's method must be a string of 1 to {MessageScanner.MaxTextBytes} bytes.",
        MessageFault.NeitherRequestNorResponse => "The message must have exactly one of method, result and error.",
        _ => throw new ArgumentOutOfRangeException(nameof(fault), fault, "This value is not a fault."),
    };
}
