using System.Buffers;
using System.Diagnostics;
using McpProxyFast.Bridge.Messages;
using McpProxyFast.Outcomes;

namespace McpProxyFast.Bridge;

/// <summary>Connects one client with one server: receives the client's messages and sends them to the server, in order where order matters.</summary>
/// <remarks>
/// Every request of the client ends exactly once, with the server's answer or with an error: the code that removes it from <see cref="OpenRequests"/> answers
/// it. Messages are sent concurrently, but those after a notification, a response or an <c>initialize</c> wait until the server has accepted that message.
/// </remarks>
internal sealed class Conversation : IDisposable
{
    /// <summary>How long messages wait until the server has accepted the notification or response before them. Then they are sent anyway.</summary>
    private static readonly TimeSpan OrderTime = TimeSpan.FromSeconds(10);

    private readonly IBridgeFront _front;
    private readonly BridgeSettings _settings;
    private readonly Delivery _delivery;
    private readonly TransportChoice _transports;

    /// <summary>Cancelled to close every exchange with the server.</summary>
    private readonly CancellationTokenSource _ending = new();

    /// <summary>Limits how many messages with requests the server works on at a time. Notifications and responses do not count.</summary>
    private readonly SemaphoreSlim _places = new(BridgeLimits.MaxExchanges);

    /// <summary>Counts the messages that are being handled, and the bridge's own answers that are being sent. At zero, a pool of arrays is emptied.</summary>
    private readonly RunningCount _running = new(MessagePieces.Trim);

    /// <summary>Sends error answers to messages that are not sent to the server.</summary>
    private readonly Refusals _refusals;

    /// <summary>Completed when the next message may be sent. Used only by the loop that receives the client's messages.</summary>
    private Task _lane = Task.CompletedTask;

    /// <param name="front">The connection to the client.</param>
    /// <param name="link">The connections to the server.</param>
    /// <param name="settings">The settings of the conversation.</param>
    public Conversation(IBridgeFront front, ProxyLink link, BridgeSettings settings)
    {
        (_front, _settings) = (front, settings);
        _delivery = new Delivery(front, settings);
        _refusals = new Refusals(new AnswerQueue(front, _running), settings.Logger);
        _transports = new TransportChoice(new UpstreamParts(link, _delivery, new LargeMessages(settings.Clock), _ending.Token));
    }

    /// <summary>Receives messages until the client's input ends or the bridge is told to stop. Then waits a while for answers, and ends the session.</summary>
    public async Task RunAsync(CancellationToken stopping)
    {
        TimeSpan endedFor = await ReceiveAllAsync(stopping).ConfigureAwait(false);
        Task received = _front.EndReceivingAsync();
        await DrainAsync(received, endedFor, stopping).ConfigureAwait(false);

        // Both methods run at the same time: a client that does not read its errors must not delay the end of the session.
        Task told = _delivery.StopAllAsync();
        Task farewell = _transports.Current.EndAsync();
        await _ending.CancelAsync().ConfigureAwait(false);
        await WithinAsync(Task.WhenAll(received, told, _running.WhenZero), BridgeLimits.LastWordsTime, CancellationToken.None).ConfigureAwait(false);
        _front.Close();
        await WithinAsync(Task.WhenAll(farewell, _running.WhenZero), BridgeLimits.FarewellTime, CancellationToken.None).ConfigureAwait(false);
    }

    public void Dispose()
    {
        _ending.Dispose();
        if (_running.WhenZero.IsCompleted)
        {
            _places.Dispose();
        }
    }

    /// <summary>Receives and handles the client's messages until its input ends, or the bridge is told to stop.</summary>
    /// <returns>How long ago the client's input ended; zero if it has not ended.</returns>
    private async Task<TimeSpan> ReceiveAllAsync(CancellationToken stopping)
    {
        using var until = CancellationTokenSource.CreateLinkedTokenSource(stopping, _front.Gone);
        try
        {
            ReceivedMessage received = await _front.ReceiveAsync(until.Token).ConfigureAwait(false);
            while (!received.IsEnd)
            {
                ValueTask taken = TakeAsync(received);
                if (!taken.IsCompletedSuccessfully)
                {
                    await taken.AsTask().WaitAsync(until.Token).ConfigureAwait(false);
                }

                received = await _front.ReceiveAsync(until.Token).ConfigureAwait(false);
            }

            return received.EndedFor;
        }
        catch (OperationCanceledException) when (until.IsCancellationRequested)
        {
            // The bridge is told to stop, or the client takes no more messages.
        }
        catch (Exception broken) when (broken is IOException or InvalidOperationException or ObjectDisposedException)
        {
            _settings.Logger.ClientCut(broken.GetType().Name);
        }

        return TimeSpan.Zero;
    }

    /// <summary>Waits until the open requests have ended: at most for the drain timeout or, once the bridge is told to stop, the stop timeout.</summary>
    /// <param name="received">The task of <see cref="IBridgeFront.EndReceivingAsync"/>, for which this method waits too.</param>
    /// <param name="endedFor">How long ago the client's input ended.</param>
    /// <param name="stopping">Cancelled when the bridge is to stop.</param>
    private async Task DrainAsync(Task received, TimeSpan endedFor, CancellationToken stopping)
    {
        // A subscriptions/listen has no end of its own, so it is ended here. Exchanges of cancelled requests are closed: nobody waits for them.
        foreach (OpenRequest over in _delivery.Open.All().Where(open => open.Method == Methods.Listen ? _delivery.Open.TryEnd(open) : open.Owner.IsGivenUp))
        {
            over.Owner.Close();
        }

        Task done = Task.WhenAll(received, _running.WhenZero);
        using var hurry = CancellationTokenSource.CreateLinkedTokenSource(stopping, _front.Gone);
        if (!hurry.IsCancellationRequested)
        {
            TimeSpan left = _settings.DrainTimeout - endedFor;
            await WithinAsync(done, left > TimeSpan.Zero ? left : TimeSpan.Zero, hurry.Token).ConfigureAwait(false);
        }

        if (stopping.IsCancellationRequested)
        {
            await WithinAsync(done, _settings.StopTimeout, _front.Gone).ConfigureAwait(false);
        }
    }

    private async Task WithinAsync(Task task, TimeSpan time, CancellationToken cancellationToken)
    {
        try
        {
            await task.WaitAsync(time, _settings.Clock, cancellationToken).ConfigureAwait(false);
        }
        catch (Exception over) when (over is TimeoutException or OperationCanceledException)
        {
            // The time is over or the wait was cancelled. The caller continues in both cases.
        }
    }

    /// <summary>Handles one message of the client: starts to send it to the server, or answers it with an error.</summary>
    private ValueTask TakeAsync(ReceivedMessage received)
    {
        if (received.Message is not { } buffer)
        {
            return _refusals.SendAsync(received.Refusal!.Value, received.Id);
        }

        var message = new ClientMessage(buffer, MessageScanner.Scan(buffer.Bytes), _ending.Token);
        switch (message.Head)
        {
            case { Kind: MessageKind.Broken } broken:
                message.Dispose();
                return _refusals.SendAsync(broken.Fault, broken.Id?.Raw ?? default);
            case { Kind: MessageKind.Batch }:
                return TakeBatchAsync(message);
            case { Kind: MessageKind.Request }:
                return TakeRequestsAsync(message, [message.Head], [message.Bytes]);
            case { Kind: MessageKind.Notification } notification when _delivery.IsIgnored(notification):
                message.Dispose();
                _settings.Logger.ClientMessageRefused(BridgeFault.For(BridgeFaultReason.ToolIgnored).Sentence);
                return ValueTask.CompletedTask;
            case { Kind: MessageKind.Notification, Method: Methods.Cancelled, CancelledId: { } cancelled }:
                TakeCancellation(message, cancelled);
                return ValueTask.CompletedTask;
            default:
                _delivery.Memory.Note(message.Head, message.Bytes);
                Begin(message);
                return ValueTask.CompletedTask;
        }
    }

    private async ValueTask TakeBatchAsync(ClientMessage message)
    {
        List<ReadOnlySequence<byte>>? parts = BatchReader.Split(message.Bytes, BridgeLimits.MaxBatch);
        RpcHead[] heads = parts is null ? [] : [.. parts.Select(part => MessageScanner.Scan(part))];
        if (parts is not null && !Array.Exists(heads, head => head.Kind is MessageKind.Broken or MessageKind.Batch))
        {
            await TakeRequestsAsync(message, heads, parts).ConfigureAwait(false);
            return;
        }

        message.Dispose();
        if (parts is null)
        {
            await _refusals.SendAsync(BridgeFaultReason.BatchTooLong, default).ConfigureAwait(false);
            return;
        }

        MessageFault wrong = heads.FirstOrDefault(head => head.Kind is MessageKind.Broken)?.Fault ?? MessageFault.NeitherRequestNorResponse;
        await _refusals.SendAsync(wrong, default).ConfigureAwait(false);
        foreach (RpcHead request in heads.Where(head => head.Kind is MessageKind.Request))
        {
            await _refusals.SendAsync(wrong, request.Id!.Value.Raw).ConfigureAwait(false);
        }
    }

    /// <summary>Registers the requests of a message as open and sends the message. If one cannot be registered, all are answered with an error.</summary>
    private async ValueTask TakeRequestsAsync(ClientMessage message, RpcHead[] heads, List<ReadOnlySequence<byte>> parts)
    {
        if (TryOpen(message, heads) is not { } refused)
        {
            for (int i = 0; i < heads.Length; i++)
            {
                if (message.Head.Kind is not MessageKind.Batch || heads[i].Method is not Methods.Initialize) // MCP allows no initialize in a batch
                {
                    _delivery.Memory.Note(heads[i], parts[i]);
                }
            }

            Begin(message);
            return;
        }

        message.Dispose();
        foreach (RpcHead each in heads.Where(head => head.Kind is MessageKind.Request))
        {
            await _refusals.SendAsync(refused, each.Id!.Value.Raw).ConfigureAwait(false);
        }
    }

    /// <summary>Registers the requests of a message as open, either all or none.</summary>
    /// <returns>Why they cannot be registered; null if all are registered now.</returns>
    private BridgeFaultReason? TryOpen(ClientMessage message, RpcHead[] heads)
    {
        if (Array.Exists(heads, _delivery.IsIgnored))
        {
            return BridgeFaultReason.ToolIgnored;
        }

        var opened = new List<OpenRequest>();
        foreach (RpcHead head in heads.Where(head => head.Kind is MessageKind.Request))
        {
            var request = new OpenRequest(head.Id!.Value, head.Method, message);
            if (_delivery.Open.TryOpen(request) is { } refused)
            {
                opened.ForEach(other => _delivery.Open.TryEnd(other));
                return refused;
            }

            opened.Add(request);
        }

        message.Requests = opened;
        return null;
    }

    /// <summary>Cancels a request. In 2026-07-28 this closes the exchange; in earlier revisions the notification is sent and the exchange stays open.</summary>
    /// <remarks>If the request has not been sent yet, neither the request nor the cancellation is sent.</remarks>
    private void TakeCancellation(ClientMessage message, MessageId cancelled)
    {
        OpenRequest? request = _delivery.Open.Cancel(cancelled);
        bool isModern = request is { Owner: { IsInitialize: false, Head.ProtocolVersion: not null } };
        if (request is not null && (isModern || request.Owner.TryGiveUp()))
        {
            message.Dispose();
            _delivery.Open.TryEnd(request);
            request.Owner.Close();
            return;
        }

        if (request is not null)
        {
            _ = CloseLaterAsync(request.Owner);
        }

        Begin(message, request is null ? null : WithinAsync(request.Owner.Taken, BridgeLimits.OvertakingTime, CancellationToken.None));
    }

    /// <summary>Closes a message's exchange after <see cref="BridgeLimits.CancelGrace"/>, unless it has ended or somebody still waits for an answer.</summary>
    private async Task CloseLaterAsync(ClientMessage message)
    {
        try
        {
            await Task.Delay(BridgeLimits.CancelGrace, _settings.Clock, message.Closing).ConfigureAwait(false);
            if (message.IsGivenUp)
            {
                message.Close();
            }
        }
        catch (OperationCanceledException)
        {
            // The exchange has been closed meanwhile.
        }
    }

    /// <summary>Starts a task that sends a message as soon as the messages before it allow that. Does not wait for the task.</summary>
    /// <param name="message">The message.</param>
    /// <param name="after">A task for which the message must wait too; null if there is none.</param>
    private void Begin(ClientMessage message, Task? after = null)
    {
        _running.Enter();
        Task lane = after is null ? _lane : Task.WhenAll(_lane, after);
        if (message.Requests.Count == 0 || message.IsInitialize)
        {
            _lane = message.Accepted;
            _ = message.IsInitialize ? Task.CompletedTask : AcceptInTimeAsync(message); // its time starts now, so the waits of several messages do not add up
        }

        _ = RunAsync(message, lane); // never throws
    }

    private async Task RunAsync(ClientMessage message, Task lane)
    {
        bool hasPlace = false;
        try
        {
            await lane.WaitAsync(message.Closing).ConfigureAwait(false);
            if (message.Requests.Count > 0)
            {
                await _places.WaitAsync(message.Closing).ConfigureAwait(false);
                hasPlace = true;
            }

            await _transports.SendAsync(message).ConfigureAwait(false);
            await _delivery.FailAllAsync(message, BridgeFaultReason.AnswerMissing).ConfigureAwait(false);
        }
        catch (OperationCanceledException) when (message.Closing.IsCancellationRequested)
        {
            await _delivery.FailAllAsync(message, BridgeFaultReason.Stopped).ConfigureAwait(false);
        }
        catch (Exception bug)
        {
            _settings.Logger.BridgeFailed(bug);
            await _delivery.FailAllAsync(message, BridgeFaultReason.InternalError).ConfigureAwait(false);
        }
        finally
        {
            Debug.Assert(!message.IsOpen, "A message ends with its requests.");
            message.Dispose();
            if (hasPlace)
            {
                _places.Release();
            }

            _running.Leave();
        }
    }

    /// <summary>Lets the messages after this one be sent after <see cref="OrderTime"/>, even if the server has not accepted this one.</summary>
    private async Task AcceptInTimeAsync(ClientMessage message)
    {
        await WithinAsync(message.Accepted, OrderTime, CancellationToken.None).ConfigureAwait(false);
        message.Accept();
    }
}
