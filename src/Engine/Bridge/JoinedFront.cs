using System.Buffers;
using System.Diagnostics;
using System.Threading.Channels;
using McpProxyFast.Bridge.Eras;
using McpProxyFast.Bridge.Messages;
using McpProxyFast.Outcomes;
using Microsoft.Extensions.Logging;

namespace McpProxyFast.Bridge;

/// <summary>A client of any era, as its server needs it: one that starts with a handshake, at a server that has none, is made one of 2026-07-28.</summary>
/// <remarks>
/// Messages pass until the handshake is answered. A result, or a client without a handshake, ends its work: from then on everything passes unread. An error
/// that may come of a server without a handshake is held back, and the server is asked what it speaks (<see cref="LegacyClientJoin"/>).
/// </remarks>
/// <param name="client">The client.</param>
/// <param name="logger">Is told that eras are joined.</param>
/// <param name="clock">For what is sent later.</param>
internal sealed class JoinedFront(IBridgeFront client, ILogger logger, TimeProvider clock) : IBridgeFront, IDisposable
{
    /// <summary>The largest handshake that is kept, to be translated; real ones are below 10 KiB.</summary>
    private const int MaxHandshakeBytes = 1024 * 1024;

    /// <summary>Messages for the server that are made here.</summary>
    private readonly Channel<MessageBuffer> _made = Channel.CreateUnbounded<MessageBuffer>();

    /// <summary>Messages for the server that wait for their time, by their ids.</summary>
    private readonly Dictionary<MessageId, CancellationTokenSource> _delayed = [];

    /// <summary>Guards what follows, and every call of the join.</summary>
    private readonly Lock _gate = new();

    /// <summary>The client's handshake, while it is not answered; null otherwise.</summary>
    private ReadOnlyMemory<byte>? _handshake;

    /// <summary>The server's answer to the handshake, while the server is asked what it speaks; null otherwise.</summary>
    private ReadOnlyMemory<byte>? _refusal;

    /// <summary>Translates; null where nothing is translated.</summary>
    private LegacyClientJoin? _join;

    /// <summary>It is known that nothing is translated.</summary>
    private volatile bool _isPlain;

    /// <summary>The client's next message, while it is waited for; null otherwise. The receiver's alone, as are the next two.</summary>
    private Task<ReceivedMessage>? _receiving;

    /// <summary>The wait for a message that is made here; null while nobody waits.</summary>
    private Task? _waiting;

    /// <summary>The client sends no more.</summary>
    private bool _hasEnded;

    public async ValueTask<ReceivedMessage> ReceiveAsync(CancellationToken cancellationToken)
    {
        while (true)
        {
            if (_made.Reader.TryRead(out MessageBuffer? made))
            {
                return new ReceivedMessage(made);
            }

            if (_hasEnded)
            {
                return default;
            }

            if (_isPlain && _receiving is null)
            {
                return await client.ReceiveAsync(cancellationToken).ConfigureAwait(false);
            }

            _receiving ??= client.ReceiveAsync(cancellationToken).AsTask();
            _waiting = _waiting is { IsCompleted: false } ? _waiting : _made.Reader.WaitToReadAsync(cancellationToken).AsTask();
            await Task.WhenAny(_receiving, _waiting).ConfigureAwait(false);
            if (_receiving.IsCompleted)
            {
                ReceivedMessage received = await _receiving.ConfigureAwait(false);
                _receiving = null;
                if (await TakeAsync(received).ConfigureAwait(false))
                {
                    return received;
                }
            }
        }
    }

    public ValueTask SendAsync(ReadOnlySequence<byte> message, CancellationToken cancellationToken)
    {
        if (_isPlain)
        {
            return client.SendAsync(message, cancellationToken);
        }

        RpcHead head = MessageScanner.Scan(message);
        IReadOnlyList<EraAction> actions;
        lock (_gate)
        {
            actions = FromServer(message, head);
        }

        return CarryOutAsync(actions, cancellationToken);
    }

    public void Dispose()
    {
        lock (_gate)
        {
            foreach (CancellationTokenSource waiting in _delayed.Values)
            {
                waiting.Cancel();
            }
        }

        while (_made.Reader.TryRead(out MessageBuffer? made))
        {
            made.Dispose();
        }
    }

    /// <summary>Takes a message of the client.</summary>
    /// <returns>Whether it goes on as it is.</returns>
    private async ValueTask<bool> TakeAsync(ReceivedMessage received)
    {
        if (received.IsEnd)
        {
            _hasEnded = true;
            IReadOnlyList<EraAction> last;
            lock (_gate)
            {
                last = _join?.ClientEnded() ?? [];
            }

            await CarryOutAsync(last, CancellationToken.None).ConfigureAwait(false);
            return false;
        }

        if (received.Message is not { } message)
        {
            return true;
        }

        RpcHead head = MessageScanner.Scan(message.Bytes);
        IReadOnlyList<EraAction> actions;
        lock (_gate)
        {
            if (_join is null || head.Kind is MessageKind.Broken)
            {
                Look(message, head);
                return true;
            }

            actions = FromClient(message.Bytes, head);
        }

        using (message)
        {
            await CarryOutAsync(actions, CancellationToken.None).ConfigureAwait(false);
        }

        return false;
    }

    /// <summary>Looks at what the client starts with.</summary>
    private void Look(MessageBuffer message, RpcHead head)
    {
        if (head is { Kind: MessageKind.Request, Method: Methods.Initialize } && message.Length <= MaxHandshakeBytes)
        {
            _handshake = message.Bytes.ToArray();
        }
        else if (head is { Kind: MessageKind.Request, Method: not Methods.Ping } && _handshake is null)
        {
            _isPlain = true; // of 2026-07-28, or beyond help
        }
    }

    private IReadOnlyList<EraAction> FromClient(in ReadOnlySequence<byte> message, RpcHead head)
    {
        Debug.Assert(_join is not null, "Only what is translated comes here.");
        if (head.Kind is not MessageKind.Batch)
        {
            return _join.FromClient(message, head);
        }

        if (BatchReader.Split(message, BridgeLimits.MaxBatch) is not { } parts)
        {
            return [new ToClient(new ReadOnlySequence<byte>(ErrorMessage.Build(BridgeFault.For(BridgeFaultReason.BatchTooLong), default)))];
        }

        var actions = new List<EraAction>();
        foreach (ReadOnlySequence<byte> part in parts)
        {
            RpcHead one = MessageScanner.Scan(part);
            actions.AddRange(one.Kind is MessageKind.Broken
                ? [new ToClient(OwnMessages.Error(one.Id, one.Fault.Code(), one.Fault.Sentence()))]
                : _join.FromClient(part, one));
        }

        return actions;
    }

    private IReadOnlyList<EraAction> FromServer(in ReadOnlySequence<byte> message, RpcHead head)
    {
        if (_join is null)
        {
            return head.IsAnswer && _handshake is { } handshake ? Answered(handshake, message, head) : [new ToClient(message)];
        }

        if (head.Kind is MessageKind.Batch)
        {
            List<ReadOnlySequence<byte>> parts = BatchReader.Split(message, BridgeLimits.MaxBatch) ?? [];
            return [.. parts.SelectMany(part => FromServer(part, MessageScanner.Scan(part)))];
        }

        IReadOnlyList<EraAction> actions = _join.FromServer(head.IsAnswer ? head.Id : head.SubscriptionId, message, head);
        if (_refusal is not { } refusal || _join.State is JoinState.Asking)
        {
            return actions;
        }

        _refusal = null;
        if (_join.State is JoinState.Joined)
        {
            logger.ErasJoined();
            return actions;
        }

        _join = null;
        return [new ToClient(new ReadOnlySequence<byte>(refusal))];
    }

    /// <summary>Takes an answer while that to the handshake is awaited.</summary>
    private IReadOnlyList<EraAction> Answered(ReadOnlyMemory<byte> handshake, in ReadOnlySequence<byte> message, RpcHead head)
    {
        var initialize = new ReadOnlySequence<byte>(handshake);
        RpcHead asked = MessageScanner.Scan(initialize);
        if (head.Id != asked.Id)
        {
            return [new ToClient(message)];
        }

        _handshake = null;
        if (EraDetection.IsWorthAsking(message, head))
        {
            _refusal = message.ToArray();
            _join = new LegacyClientJoin(initialize, asked);
            return _join.Start();
        }

        _isPlain = head.Kind is MessageKind.Response;
        return [new ToClient(message)];
    }

    private async ValueTask CarryOutAsync(IReadOnlyList<EraAction> actions, CancellationToken cancellationToken)
    {
        foreach (EraAction action in actions)
        {
            switch (action)
            {
                case ToClient { Message: var message }:
                    await client.SendAsync(message, cancellationToken).ConfigureAwait(false);
                    break;
                case ToServer { Id: { } id, After: var after } later when after > TimeSpan.Zero:
                    _ = SendLaterAsync(id, Buffered(later.Message), after);
                    break;
                case ToServer { Message: var message }:
                    Send(Buffered(message));
                    break;
                case CloseServer { Id: var id } when !TryTakeBack(id):
                    Send(Buffered(OwnMessages.Cancelled(id, "It is no longer of interest.")));
                    break;
                default:
                    break;
            }
        }
    }

    private static MessageBuffer Buffered(in ReadOnlySequence<byte> message)
    {
        var buffer = new MessageBuffer();
        buffer.Add(message);
        return buffer;
    }

    private void Send(MessageBuffer message)
    {
        bool isTaken = _made.Writer.TryWrite(message);
        Debug.Assert(isTaken, "It has no bound of its own, and is never completed.");
    }

    private async Task SendLaterAsync(MessageId id, MessageBuffer message, TimeSpan after)
    {
        using var waiting = new CancellationTokenSource();
        lock (_gate)
        {
            _delayed.Add(id, waiting);
        }

        try
        {
            await Task.Delay(after, clock, waiting.Token).ConfigureAwait(false);
        }
        catch (OperationCanceledException)
        {
            // It is taken back.
        }

        bool isDue;
        lock (_gate)
        {
            isDue = _delayed.Remove(id) && !waiting.IsCancellationRequested;
        }

        if (isDue)
        {
            Send(message);
        }
        else
        {
            message.Dispose();
        }
    }

    /// <summary>Takes back a message that waits for its time.</summary>
    private bool TryTakeBack(MessageId id)
    {
        lock (_gate)
        {
            if (!_delayed.Remove(id, out CancellationTokenSource? waiting))
            {
                return false;
            }

            waiting.Cancel();
            return true;
        }
    }
}
