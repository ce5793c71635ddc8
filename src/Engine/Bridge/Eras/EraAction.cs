using System.Buffers;
using McpProxyFast.Bridge.Messages;

namespace McpProxyFast.Bridge.Eras;

/// <summary>An action that an <see cref="EraJoin"/> wants to be carried out.</summary>
internal abstract record EraAction;

/// <summary>Send a message to the client.</summary>
/// <param name="Message">The message. It is valid as long as the message that it was made from.</param>
internal sealed record ToClient(ReadOnlySequence<byte> Message) : EraAction;

/// <summary>POST a message to the server.</summary>
/// <param name="Id">The request's id at the server; null for a notification or a response.</param>
/// <param name="Message">The message. It is valid until <paramref name="Hold"/> is disposed of.</param>
/// <param name="Head">The head of the message.</param>
/// <param name="After">How long to wait before it is sent.</param>
/// <param name="Hold">Must be disposed of when the message is no longer needed; null if nothing needs to be disposed of.</param>
internal sealed record ToServer(MessageId? Id, ReadOnlySequence<byte> Message, RpcHead Head, TimeSpan After = default, IDisposable? Hold = null)
    : EraAction;

/// <summary>Close the POST of a request, or do not send it if it has not been sent yet. Whatever the server still sends for it is dropped.</summary>
/// <param name="Id">The request's id at the server.</param>
internal sealed record CloseServer(MessageId Id) : EraAction;
