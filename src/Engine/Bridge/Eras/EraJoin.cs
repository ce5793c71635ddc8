using System.Buffers;
using McpProxyFast.Bridge.Messages;

namespace McpProxyFast.Bridge.Eras;

/// <summary>Translates between a client of one era and a server of the other: those before 2026-07-28 start with a handshake, those since have none.</summary>
/// <remarks>
/// It is a state machine without IO, clock or log: messages in, actions out, to be carried out in their order. It is not thread-safe: one caller at a time.
/// What cannot be translated is answered with a JSON-RPC error that says so.
/// </remarks>
internal abstract class EraJoin
{
    /// <summary>How far it is.</summary>
    public JoinState State { get; protected set; } = JoinState.Asking;

    /// <summary>What to do first.</summary>
    public abstract IReadOnlyList<EraAction> Start();

    /// <summary>Takes a message of the client; no batch.</summary>
    public abstract IReadOnlyList<EraAction> FromClient(in ReadOnlySequence<byte> message, RpcHead head);

    /// <summary>Takes a message of the server, or an error that stands for one.</summary>
    /// <param name="request">The request that it answers, or the <c>subscriptions/listen</c> on whose stream it came; null for any other.</param>
    /// <param name="message">The message; no batch.</param>
    /// <param name="head">Its head.</param>
    public abstract IReadOnlyList<EraAction> FromServer(MessageId? request, in ReadOnlySequence<byte> message, RpcHead head);

    /// <summary>Takes notice that the client sends no more: what runs for its sake alone ends.</summary>
    public abstract IReadOnlyList<EraAction> ClientEnded();
}
