using System.Buffers;
using System.Diagnostics;
using McpProxyFast.Bridge.Eras;
using McpProxyFast.Bridge.Messages;
using McpProxyFast.Outcomes;
using Microsoft.Extensions.Logging;

namespace McpProxyFast.Bridge;

/// <summary>A connection to a client. Translates the messages if the client has a handshake (up to 2025-11-25) and the server has none (2026-07-28).</summary>
/// <remarks>
/// Messages pass unchanged until the server answers the handshake. If it answers with a result, or the client has no handshake, nothing is translated, and
/// all messages pass unread from then on. If it answers with an error that a server without a handshake may give, the error is held back and the server is
/// asked for its revisions (<see cref="LegacyClientJoin"/>).
/// </remarks>
internal sealed class JoinedFront : IBridgeFront, IDisposable
{
    /// <summary>The connection to the client.</summary>
    private readonly IBridgeFront _client;

    /// <summary>The client's input. It holds messages back until the handshake has been answered.</summary>
    private readonly HeldInput _input;

    /// <summary>Gets one line when translation starts.</summary>
    private readonly ILogger _logger;

    /// <summary>Sends the answers to the client that the translation makes itself. <see cref="ReceiveAsync"/> does not wait for them.</summary>
    private readonly AnswerQueue _answers;

    /// <summary>Counts the answers that are being sent.</summary>
    private readonly RunningCount _answering = new();

    /// <summary>The messages for the server that the translation makes.</summary>
    private readonly MadeMessages _made;

    /// <summary>Guards the next three fields, all calls of <see cref="_join"/>, and the order of the messages in <see cref="_made"/>.</summary>
    private readonly Lock _gate = new();

    /// <summary>The client's <c>initialize</c> while it is not known whether the server has a handshake; otherwise null.</summary>
    private AwaitedHandshake? _handshake;

    /// <summary>Translates the messages; null if nothing is translated.</summary>
    private LegacyClientJoin? _join;

    /// <summary>Whether the client's messages are no longer received. Then the server is not asked for its revisions.</summary>
    private bool _isClosed;

    /// <summary>Whether it is known that nothing needs to be translated. Then messages pass unread.</summary>
    private volatile bool _isPlain;

    /// <summary>The pending read of the client's next message, or null. Only <see cref="ReceiveAsync"/> uses this field and the next two.</summary>
    private Task<ReceivedMessage>? _receiving;

    /// <summary>The wait for a message in <see cref="_made"/>; null before the first wait.</summary>
    private Task? _waiting;

    /// <summary>The end of the client's input, as it was received; null before the end.</summary>
    private ReceivedMessage? _end;

    /// <param name="client">The connection to the client.</param>
    /// <param name="logger">Gets one line when translation starts.</param>
    /// <param name="clock">Measures the pauses before messages for the server, and how long the end of the input is held back.</param>
    /// <param name="drainTime">How long the end of the input is held back at most.</param>
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

                // If the client does not read its answers, this may wait until the caller cancels it.
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
                _input.Release(); // only after the answer to the handshake has been sent
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

    /// <summary>Handles a message of the client: lets it pass unchanged, or translates it.</summary>
    /// <param name="received">The message. If it does not pass, this method disposes of it.</param>
    /// <param name="answers">The messages to send to the client.</param>
    /// <returns>Whether the message passes unchanged.</returns>
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

            // The translated message refers to the original bytes, and _join may keep them too. They are freed when nobody uses them any more.
            var origin = new SharedBytes([message]);
            using (origin.Use())
            {
                CarryOut(FromClient(message.Bytes, head, origin), toClient);
            }
        }

        answers = toClient;
        return false;
    }

    /// <summary>Finds out from the client's first messages whether it starts with a handshake.</summary>
    private void Look(MessageBuffer message, RpcHead head)
    {
        if (head is { Kind: MessageKind.Request, Method: Methods.Initialize } && message.Length <= AwaitedHandshake.MaxBytes)
        {
            _handshake = new AwaitedHandshake(message, head);
            _input.Hold(head.Id!.Value);
        }
        else if (head is { Kind: MessageKind.Request, Method: not Methods.Ping } && _handshake is null)
        {
            _isPlain = true; // a client of 2026-07-28, or one that breaks the protocol
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

    /// <summary>Handles the server's answer to the handshake.</summary>
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

    /// <summary>Carries out the actions that the translation wants. The lock is held, so a cancellation cannot overtake the request that it cancels.</summary>
    /// <param name="actions">The actions, in the order in which they are carried out.</param>
    /// <param name="toClient">Receives the messages to send to the client.</param>
    private void CarryOut(IReadOnlyList<EraAction> actions, List<ReadOnlySequence<byte>> toClient)
    {
        Debug.Assert(_gate.IsHeldByCurrentThread, "The lock keeps the join's actions in their order.");
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
                    _made.Send(MessageBuffer.Over(OwnMessages.Cancelled(id, "Its result is no longer needed.")));
                    break;
                default:
                    break;
            }
        }
    }
}
