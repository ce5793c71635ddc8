namespace McpProxyFast.Bridge.Messages;

/// <summary>What is said of something that is not a message.</summary>
internal static class MessageFaults
{
    /// <summary>JSON-RPC 2.0 §5.1: no JSON was received.</summary>
    public const int ParseError = -32700;

    /// <summary>JSON-RPC 2.0 §5.1: JSON, but no request.</summary>
    public const int InvalidRequest = -32600;

    /// <summary>The code of the JSON-RPC error that answers it.</summary>
    public static int Code(this MessageFault fault) => fault is MessageFault.NotUtf8 or MessageFault.NotJson ? ParseError : InvalidRequest;

    /// <summary>What was wrong and what would be right; quotes nothing of the message.</summary>
    public static string Sentence(this MessageFault fault) => fault switch
    {
        MessageFault.NotUtf8 => "The message is not UTF-8. Send JSON in UTF-8, one message a line.",
        MessageFault.NotJson => $"The message is not JSON, or is nested deeper than {MessageScanner.MaxDepth} levels. Send one JSON-RPC message a line.",
        MessageFault.NotAnObject => "The message is neither a JSON object nor an array of them.",
        MessageFault.EmptyBatch => "The batch is empty. Send at least one message in it.",
        MessageFault.NotVersion2 => "The message does not say \"jsonrpc\": \"2.0\".",
        MessageFault.MemberTwice => "A member of the message is there twice, so that readers differ in which they take. Send it once, in the specified case.",
        MessageFault.BadId => "The message's id must be a string or a number.",
        MessageFault.BadMethod => $"The message's method must be a string of 1 to {MessageScanner.MaxTextBytes} bytes.",
        MessageFault.NeitherRequestNorResponse => "The message must have either a method, a result or an error.",
        _ => throw new ArgumentOutOfRangeException(nameof(fault), fault, "This value is not a fault."),
    };
}
