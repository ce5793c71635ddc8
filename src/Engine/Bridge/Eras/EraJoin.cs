using System.Buffers;
using McpProxyFast.Bridge.Messages;

namespace McpProxyFast.Bridge.Eras;

/// <summary>
/// Translates between a client and a server of different eras. Revisions before 2026-07-28, the older era, start with a handshake (<c>initialize</c>);
/// 2026-07-28 has none.
/// </summary>
/// <remarks>
/// It is a state machine without IO, clock or log. It takes messages and returns actions, which the caller carries out in order. It is not thread-safe. A
/// request that cannot be translated is answered with a JSON-RPC error that says so.
/// </remarks>
internal abstract class EraJoin
{
    /// <summary>The state of the translation.</summary>
    public JoinState State { get; protected set; } = JoinState.Asking;

    /// <summary>Starts the translation, and returns the first actions.</summary>
    public abstract IReadOnlyList<EraAction> Start();

    /// <summary>Handles a message from the client. It must not be a batch.</summary>
    /// <param name="message">The message.</param>
    /// <param name="head">The head of the message.</param>
    /// <param name="origin">The owner of the message's bytes, which messages made from it share. Null if the bytes need not be disposed of.</param>
    public abstract IReadOnlyList<EraAction> FromClient(in ReadOnlySequence<byte> message, RpcHead head, SharedBytes? origin = null);

    /// <summary>Handles a message from the server, or an error that the bridge has made in its place. It must not be a batch.</summary>
    /// <param name="request">The id of the request that it answers, or of the <c>subscriptions/listen</c> on whose stream it came; otherwise null.</param>
    /// <param name="message">The message.</param>
    /// <param name="head">The head of the message.</param>
    public abstract IReadOnlyList<EraAction> FromServer(MessageId? request, in ReadOnlySequence<byte> message, RpcHead head);

    /// <summary>
    /// Called when the answer to a request turns out to be large. If the request is large too, its bytes are no longer kept for sending it again.
    /// </summary>
    /// <param name="request">The request's id at the server.</param>
    public abstract void AnswerIsLarge(MessageId request);

    /// <summary>Called when the client's input has ended. Ends the requests that wait for an answer from the client, and the client's subscriptions.</summary>
    public abstract IReadOnlyList<EraAction> ClientEnded();
}
