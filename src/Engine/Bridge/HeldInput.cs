using System.Diagnostics;
using McpProxyFast.Bridge.Messages;

namespace McpProxyFast.Bridge;

/// <summary>What the client sends. What follows a handshake is held back until it is known whether the server has one: it may have to be translated.</summary>
/// <remarks>
/// It is read all the same, so that the client's end is seen, and a cancellation of what is held back. An end that comes meanwhile waits too, for the drain
/// time at most. What is held back is bounded as all messages of the client are (<see cref="MessageRoom"/>).
/// </remarks>
/// <param name="client">The client.</param>
/// <param name="clock">For the end.</param>
/// <param name="drainTime">How long an end waits.</param>
internal sealed class HeldInput(IBridgeFront client, TimeProvider clock, TimeSpan drainTime)
{
    /// <summary>What is held back, in its order. It is its own lock: who takes out all does not wait for the receiver.</summary>
    private readonly LinkedList<(ReceivedMessage Message, RpcHead Head)> _held = new();

    /// <summary>The client's next message, while it is waited for; null otherwise. The receiver's alone, as is the next.</summary>
    private Task<ReceivedMessage>? _receiving;

    /// <summary>When the client's end came; null before.</summary>
    private long? _endedAt;

    /// <summary>The handshake for which messages are held back; null while none are. Set by the receiver, cleared by any thread.</summary>
    private Holding? _holding;

    /// <summary>Nothing of the client is here: who wants its next message may ask it.</summary>
    public bool IsIdle => Volatile.Read(ref _holding) is null && _held.Count == 0 && _receiving is null && _endedAt is null;

    /// <summary>From now on messages are held back.</summary>
    /// <param name="handshake">The client's <c>initialize</c>, which is not answered.</param>
    public void Hold(MessageId handshake)
    {
        Debug.Assert(_holding is null, "One handshake is awaited at a time.");
        Volatile.Write(ref _holding, new Holding(handshake));
    }

    /// <summary>The handshake is over: nothing is held back any more.</summary>
    public void Release() => Interlocked.Exchange(ref _holding, null)?.Over.TrySetResult();

    /// <summary>The client's next message that may go on.</summary>
    public async Task<ReceivedMessage> ReceiveAsync(CancellationToken cancellationToken)
    {
        while (true)
        {
            Holding? holding = Volatile.Read(ref _holding);
            if (holding is null && TakeFirst() is { } first)
            {
                return first;
            }

            if (_endedAt is { } endedAt)
            {
                TimeSpan ago = clock.GetElapsedTime(endedAt);
                if (holding is null || !await IsOverAsync(holding, ago, cancellationToken).ConfigureAwait(false))
                {
                    return new ReceivedMessage(null, EndedFor: clock.GetElapsedTime(endedAt));
                }

                continue;
            }

            _receiving ??= client.ReceiveAsync(cancellationToken).AsTask();
            await Task.WhenAny(_receiving, holding?.Over.Task ?? _receiving).ConfigureAwait(false);
            if (_receiving.IsCompleted && await TakeAsync(holding).ConfigureAwait(false) is { } received)
            {
                return received;
            }
        }
    }

    /// <summary>Takes out all that is held back, since nothing is received any more.</summary>
    public List<ReceivedMessage> TakeAll()
    {
        lock (_held)
        {
            List<ReceivedMessage> all = [.. _held.Select(held => held.Message)];
            _held.Clear();
            return all;
        }
    }

    private ReceivedMessage? TakeFirst()
    {
        lock (_held)
        {
            if (_held.First is not { } first)
            {
                return null;
            }

            _held.RemoveFirst();
            return first.Value.Message;
        }
    }

    /// <summary>Waits until a handshake is over.</summary>
    /// <param name="holding">The handshake.</param>
    /// <param name="ago">How long ago the client has ended.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    /// <returns>False where that takes longer than the client's end may wait.</returns>
    private async Task<bool> IsOverAsync(Holding holding, TimeSpan ago, CancellationToken cancellationToken)
    {
        TimeSpan left = drainTime - ago;
        try
        {
            await holding.Over.Task.WaitAsync(left > TimeSpan.Zero ? left : TimeSpan.Zero, clock, cancellationToken).ConfigureAwait(false);
            return true;
        }
        catch (TimeoutException)
        {
            return false;
        }
    }

    /// <summary>Takes what has been received: it goes on, is held back, or ends what is held back.</summary>
    /// <returns>Null where it does not go on.</returns>
    private async Task<ReceivedMessage?> TakeAsync(Holding? holding)
    {
        ReceivedMessage received = await _receiving!.ConfigureAwait(false);
        _receiving = null;
        if (received.IsEnd)
        {
            _endedAt = clock.GetTimestamp();
            return null;
        }

        if (holding is null || received.Message is not { } message)
        {
            return received;
        }

        RpcHead head = MessageScanner.Scan(message.Bytes);
        if (head.Kind is MessageKind.Broken)
        {
            return received;
        }

        MessageId? cancelled = head is { Kind: MessageKind.Notification, Method: Methods.Cancelled } ? head.CancelledId : null;
        if (cancelled is { } dropped && TryDrop(dropped))
        {
            message.Dispose();
            return null;
        }

        lock (_held)
        {
            _held.AddLast((received, head));
        }

        if (cancelled == holding.Handshake)
        {
            Release(); // it is not answered
        }

        return null;
    }

    /// <summary>Drops a request that is held back and was cancelled.</summary>
    private bool TryDrop(MessageId cancelled)
    {
        lock (_held)
        {
            for (LinkedListNode<(ReceivedMessage Message, RpcHead Head)>? held = _held.First; held is not null; held = held.Next)
            {
                if (held.Value.Head.Kind is MessageKind.Request && held.Value.Head.Id == cancelled)
                {
                    held.Value.Message.Message!.Dispose();
                    _held.Remove(held);
                    return true;
                }
            }
        }

        return false;
    }

    /// <summary>A handshake that is awaited.</summary>
    /// <param name="handshake">The client's <c>initialize</c>.</param>
    private sealed class Holding(MessageId handshake)
    {
        public MessageId Handshake => handshake;

        /// <summary>Completed when it is over.</summary>
        public TaskCompletionSource Over { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);
    }
}
