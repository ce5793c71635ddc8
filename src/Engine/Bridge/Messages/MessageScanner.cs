using System.Buffers;
using System.Text.Json;

namespace McpProxyFast.Bridge.Messages;

/// <summary>Reads what routing needs of a JSON-RPC message, from its bytes, without objects; the message itself is not touched.</summary>
/// <remarks>
/// The whole message is checked to be JSON, so that none that a peer cannot read goes on. If two readers could take different members for the ones that
/// routing depends on, it is broken.
/// </remarks>
internal static class MessageScanner
{
    /// <summary>Deepest nesting of a message; that of arguments in real use is below 20. System.Text.Json, which many servers use, takes 64.</summary>
    public const int MaxDepth = 128;

    /// <summary>Most bytes of a text that is kept of a message: its id, its method, its name. A header line has no room for more.</summary>
    public const int MaxTextBytes = 8 * 1024;

    /// <summary>How messages are read, here and where they are rewritten.</summary>
    public static readonly JsonReaderOptions Options = new() { MaxDepth = MaxDepth };

    /// <summary>Reads a message. Never throws.</summary>
    /// <param name="message">One message, whole, without the line end behind it; may have blanks and line ends around and within.</param>
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

    /// <summary>Reads a message that lies in one piece.</summary>
    public static RpcHead Scan(ReadOnlyMemory<byte> message) => Scan(new ReadOnlySequence<byte>(message));

    private static MessageFault Read(in ReadOnlySequence<byte> message, RpcHead head)
    {
        // RFC 8259 §8.1. The reader lets bytes that are not UTF-8 pass in texts that nobody asks for.
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
            // Half of a surrogate pair, escaped: JSON but no text (RFC 8259 §8.2). Readers drop it, replace it, or fail.
            return MessageFault.NotJson;
        }
    }
}
