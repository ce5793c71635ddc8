using System.Buffers;
using System.Diagnostics;
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
internal sealed class JoinedFront : IBridgeFront, IDisposable
{
    /// <summary>The client.</summary>
    private readonly IBridgeFront _client;

    /// <summary>What it sends.</summary>
    private readonly HeldInput _input;

    /// <summary>Is told that eras are joined.</summary>
    private readonly ILogger _logger;

    /// <summary>Answers to what the client says, which the receiver does not wait for.</summary>
    private readonly AnswerQueue _answers;

    /// <summary>Those that are under way.</summary>
    private readonly RunningCount _answering = new();

    /// <summary>Messages for the server that are made here.</summary>
    private readonly MadeMessages _made;

    /// <summary>Guards what follows, every call of the join, and that what it wants of the server is asked in this order.</summary>
    private readonly Lock _gate = new();

    /// <summary>The client's handshake, while it is not known whether the server has one; null otherwise.</summary>
    private AwaitedHandshake? _handshake;

    /// <summary>Translates; null where nothing is translated.</summary>
    private LegacyClientJoin? _join;

    /// <summary>No more is received, so the server is asked nothing more.</summary>
    private bool _isClosed;

    /// <summary>It is known that nothing is translated.</summary>
    private volatile bool _isPlain;

    /// <summary>The client's next message, while it is waited for; null otherwise. The receiver's alone, as are the next two.</summary>
    private Task<ReceivedMessage>? _receiving;

    /// <summary>The wait for a message that is made here; null while nobody waits.</summary>
    private Task? _waiting;

    /// <summary>The client's end; null before it.</summary>
    private ReceivedMessage? _end;

    /// <param name="client">The client.</param>
    /// <param name="logger">Is told that eras are joined.</param>
    /// <param name="clock">For what is sent later.</param>
    /// <param name="drainTime">How long answers are waited for when the client sends no more.</param>
    public JoinedFront(IBridgeFront client, ILogger logger, TimeProvider clock, TimeSpan drainTime)
    {
        (_client, _logger) = (client, logger);
        _input = new HeldInput(client, clock, drainTime);
        _answers = new AnswerQueue(client, _answering);
        _made = new MadeMessages(_gate, clock);
    }

    public CancellationToken Gone => _client.Gone;

    public bool Translates => !_isPlain;

    public async ValueTask<ReceivedMessage> ReceiveAsync(CancellationToken cancellationToken)
    {
        while (true)
        {
            if (_made.TryRead() is { } made)
            {
                return new ReceivedMessage(made);
            }

            if (_end is { } end)
            {
                return end;
            }

            if (_isPlain && _receiving is null && _input.IsIdle)
            {
                return await _client.ReceiveAsync(cancellationToken).ConfigureAwait(false);
            }

            _receiving ??= _input.ReceiveAsync(cancellationToken);
            _waiting = _waiting is { IsCompleted: false } ? _waiting : _made.WaitAsync(cancellationToken);
            await Task.WhenAny(_receiving, _waiting).ConfigureAwait(false);
            if (_receiving.IsCompleted)
            {
                ReceivedMessage received = await _receiving.ConfigureAwait(false);
                _receiving = null;
                if (Passes(received, out IReadOnlyList<ReadOnlySequence<byte>> answers))
                {
                    return received;
                }

                // A client that does not read is waited for, but not longer than anybody wants to hear of it.
                await AnswerAsync(answers).WaitAsync(cancellationToken).ConfigureAwait(false);
            }
        }
    }

    public async Task EndReceivingAsync()
    {
        List<ReadOnlySequence<byte>> toClient = [];
        lock (_gate)
        {
            _isClosed = true;
            foreach (ReceivedMessage held in _input.TakeAll())
            {
                using MessageBuffer? message = held.Message;
                toClient.AddRange(message is null ? [] : BatchReader.Requests(message.Bytes, BridgeLimits.MaxBatch).Select(OwnMessages.Stopped));
            }

            CarryOut(_join?.ClientEnded() ?? [], toClient);
            foreach (MessageId id in _made.TakeAllBack())
            {
                ReadOnlySequence<byte> stopped = OwnMessages.Stopped(id);
                CarryOut(FromServer(stopped, MessageScanner.Scan(stopped)), toClient);
            }
        }

        await AnswerAsync(toClient).ConfigureAwait(false);
        await _answering.WhenZero.ConfigureAwait(false);
        await _client.EndReceivingAsync().ConfigureAwait(false);
    }

    public async ValueTask SendAsync(ReadOnlySequence<byte> message)
    {
        if (_isPlain)
        {
            await _client.SendAsync(message).ConfigureAwait(false);
            return;
        }

        RpcHead head = MessageScanner.Scan(message);
        List<ReadOnlySequence<byte>> toClient = [];
        bool isHandshakeOver;
        lock (_gate)
        {
            bool isAwaited = _handshake is not null;
            CarryOut(FromServer(message, head), toClient);
            isHandshakeOver = isAwaited && _handshake is null;
        }

        try
        {
            foreach (ReadOnlySequence<byte> each in toClient)
            {
                await _client.SendAsync(each).ConfigureAwait(false);
            }
        }
        finally
        {
            if (isHandshakeOver)
            {
                _input.Release(); // behind its answer
            }
        }
    }

    public void AnswerIsLarge(MessageId request)
    {
        lock (_gate)
        {
            _join?.AnswerIsLarge(request);
        }
    }

    public void Close() => _client.Close();

    public void Dispose()
    {
        lock (_gate)
        {
            _made.TakeAllBack();
        }
    }

    private async Task AnswerAsync(IReadOnlyList<ReadOnlySequence<byte>> answers)
    {
        foreach (ReadOnlySequence<byte> answer in answers)
        {
            await _answers.SendAsync(answer).ConfigureAwait(false);
        }
    }

    /// <summary>Takes a message of the client.</summary>
    /// <param name="received">Taken over, where it does not go on.</param>
    /// <param name="answers">What the client is told.</param>
    /// <returns>Whether it goes on as it is.</returns>
    private bool Passes(ReceivedMessage received, out IReadOnlyList<ReadOnlySequence<byte>> answers)
    {
        answers = [];
        if (received.IsEnd)
        {
            _end = received;
            return false;
        }

        if (received.Message is not { } message || _isPlain)
        {
            return true;
        }

        RpcHead head = MessageScanner.Scan(message.Bytes);
        List<ReadOnlySequence<byte>> toClient = [];
        lock (_gate)
        {
            if (_join is null || head.Kind is MessageKind.Broken)
            {
                Look(message, head);
                return true;
            }

            // What is made of it, and what the join keeps of it, lies in its bytes.
            var origin = new SharedBytes([message]);
            using (origin.Use())
            {
                CarryOut(FromClient(message.Bytes, head, origin), toClient);
            }
        }

        answers = toClient;
        return false;
    }

    /// <summary>Looks at what the client starts with.</summary>
    private void Look(MessageBuffer message, RpcHead head)
    {
        if (head is { Kind: MessageKind.Request, Method: Methods.Initialize } && message.Length <= AwaitedHandshake.MaxBytes)
        {
            _handshake = new AwaitedHandshake(message, head);
            _input.Hold(head.Id!.Value);
        }
        else if (head is { Kind: MessageKind.Request, Method: not Methods.Ping } && _handshake is null)
        {
            _isPlain = true; // of 2026-07-28, or beyond help
        }
    }

    private IReadOnlyList<EraAction> FromClient(in ReadOnlySequence<byte> message, RpcHead head, SharedBytes origin)
    {
        Debug.Assert(_join is not null, "Only what is translated comes here.");
        if (head.Kind is not MessageKind.Batch)
        {
            return _join.FromClient(message, head, origin);
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
                : _join.FromClient(part, one, origin));
        }

        return actions;
    }

    private IReadOnlyList<EraAction> FromServer(in ReadOnlySequence<byte> message, RpcHead head)
    {
        if (_join is null)
        {
            return _handshake is { } asked && asked.IsAnsweredBy(message, head) ? Answered(asked, message, head) : [new ToClient(message)];
        }

        if (head.Kind is MessageKind.Batch)
        {
            List<ReadOnlySequence<byte>> parts = BatchReader.Split(message, BridgeLimits.MaxBatch) ?? [];
            return [.. parts.SelectMany(part => FromServer(part, MessageScanner.Scan(part)))];
        }

        IReadOnlyList<EraAction> actions = _join.FromServer(head.IsAnswer ? head.Id : head.SubscriptionId, message, head);
        if (_handshake?.Refusal is not { } refusal || _join.State is JoinState.Asking)
        {
            return actions;
        }

        _handshake = null;
        if (_join.State is JoinState.Joined)
        {
            _logger.ErasJoined();
            return actions;
        }

        _join = null;
        return [new ToClient(refusal)];
    }

    /// <summary>Takes the answer to the handshake.</summary>
    private IReadOnlyList<EraAction> Answered(AwaitedHandshake asked, in ReadOnlySequence<byte> message, RpcHead head)
    {
        if (!_isClosed && EraDetection.IsWorthAsking(message, head))
        {
            asked.Refusal = new ReadOnlySequence<byte>(message.ToArray());
            _join = new LegacyClientJoin(asked.Message, asked.Head);
            return _join.Start();
        }

        _handshake = null;
        _isPlain = head.Kind is not MessageKind.ErrorResponse;
        return [new ToClient(message)];
    }

    /// <summary>Does what the join wants: at once what the server is asked, under the lock, so that nothing overtakes what it takes back.</summary>
    /// <param name="actions">In their order.</param>
    /// <param name="toClient">Gets what the client is told.</param>
    private void CarryOut(IReadOnlyList<EraAction> actions, List<ReadOnlySequence<byte>> toClient)
    {
        Debug.Assert(_gate.IsHeldByCurrentThread, "Actions are carried out in the order in which the join has wanted them.");
        foreach (EraAction action in actions)
        {
            switch (action)
            {
                case ToClient { Message: var message }:
                    toClient.Add(message);
                    break;
                case ToServer { Id: { } id, After: var after } later when after > TimeSpan.Zero:
                    _made.SendLater(id, MessageBuffer.Over(later.Message, later.Hold), after);
                    break;
                case ToServer { Message: var message, Hold: var hold }:
                    _made.Send(MessageBuffer.Over(message, hold));
                    break;
                case CloseServer { Id: var id } when !_made.TryTakeBack(id):
                    _made.Send(MessageBuffer.Over(OwnMessages.Cancelled(id, "It is no longer of interest.")));
                    break;
                default:
                    break;
            }
        }
    }
}
