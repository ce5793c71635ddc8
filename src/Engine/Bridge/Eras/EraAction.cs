using System.Buffers;
using McpProxyFast.Bridge.Messages;

namespace McpProxyFast.Bridge.Eras;

/// <summary>What is to be done, as a join of eras decides it.</summary>
internal abstract record EraAction;

/// <summary>Send a message to the client.</summary>
/// <param name="Message">Valid as long as the message that it came from.</param>
internal sealed record ToClient(ReadOnlySequence<byte> Message) : EraAction;

/// <summary>POST a message to the server.</summary>
/// <param name="Id">The request's id there; null for a notification or a response.</param>
/// <param name="Message">Valid until <paramref name="Hold"/> is given back.</param>
/// <param name="Head">Its head.</param>
/// <param name="After">How long to wait before.</param>
/// <param name="Hold">To be given back when the message is no longer needed; null where its memory is its own.</param>
internal sealed record ToServer(MessageId? Id, ReadOnlySequence<byte> Message, RpcHead Head, TimeSpan After = default, IDisposable? Hold = null)
    : EraAction;

/// <summary>Close the POST of a request, whether it has been sent or waits to be; whatever the server still sends for it is dropped.</summary>
/// <param name="Id">The request's id at the server.</param>
internal sealed record CloseServer(MessageId Id) : EraAction;
