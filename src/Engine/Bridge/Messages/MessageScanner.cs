using System.Buffers;
using System.Text.Json;

namespace McpProxyFast.Bridge.Messages;

/// <summary>Reads from the bytes of a JSON-RPC message what is needed to route it. The message is not deserialized and not changed.</summary>
/// <remarks>
/// The whole message is checked to be valid JSON, so that the peer gets no message that it cannot parse. If two parsers could differ in a member that routing
/// depends on, the message is <see cref="MessageKind.Broken"/>.
/// </remarks>
internal static class MessageScanner
{
    /// <summary>The maximum nesting depth of a message. Real messages stay below 20. The default of System.Text.Json, which many servers use, is 64.</summary>
    public const int MaxDepth = 128;

    /// <summary>
    /// The maximum number of bytes of each string that is kept from a message, such as its id, its method or its name. Some are sent in header lines, and many
    /// servers refuse longer lines.
    /// </summary>
    public const int MaxTextBytes = 8 * 1024;

    /// <summary>The options of all JSON readers for messages.</summary>
    public static readonly JsonReaderOptions Options = new() { MaxDepth = MaxDepth };

    /// <summary>Reads a message. Never throws.</summary>
    /// <param name="message">One complete message. It may have whitespace and line ends anywhere that JSON allows them.</param>
    public static RpcHead Scan(in ReadOnlySequence<byte> message)
    {
        var head = new RpcHead();
        MessageFault fault = Read(message, head);
        if (fault is not MessageFault.None)
        {
            head.Kind = MessageKind.Broken;
            head.Fault = fault;
        }

        return head;
    }

    /// <summary>Reads a message that is contiguous in memory.</summary>
    public static RpcHead Scan(ReadOnlyMemory<byte> message) => Scan(new ReadOnlySequence<byte>(message));

    private static MessageFault Read(in ReadOnlySequence<byte> message, RpcHead head)
    {
        // JSON is UTF-8 (RFC 8259 §8.1). Utf8JsonReader does not check the strings that are skipped.
        if (!Utf8Check.IsValid(message))
        {
            return MessageFault.NotUtf8;
        }

        try
        {
            return new HeadReader(message, head).Read();
        }
        catch (JsonException)
        {
            return MessageFault.NotJson;
        }
        catch (InvalidOperationException)
        {
            // A string has half of a surrogate pair as an escape: valid JSON, but not valid Unicode (RFC 8259 §8.2). Parsers drop it, replace it, or fail.
            return MessageFault.NotJson;
        }
    }
}
