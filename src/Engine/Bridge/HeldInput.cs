using System.Diagnostics;
using McpProxyFast.Bridge.Messages;

namespace McpProxyFast.Bridge;

/// <summary>
/// The client's input. The messages after an <c>initialize</c> are held back until it is known whether the server has a handshake. If it has none, they
/// must be translated.
/// </summary>
/// <remarks>
/// The input is still read meanwhile, so that its end and cancellations are seen. If the end comes meanwhile, it is held back too, but not longer than the
/// drain time. Held messages count in the bound on the memory of all messages of the client (<see cref="MessageRoom"/>).
/// </remarks>
/// <param name="client">The connection to the client.</param>
/// <param name="clock">Measures how long the end of the input has been held back.</param>
/// <param name="drainTime">How long the end of the input is held back at most.</param>
internal sealed class HeldInput(IBridgeFront client, TimeProvider clock, TimeSpan drainTime)
{
    /// <summary>
    /// The messages that are held back, in order. The list is its own lock, so <see cref="TakeAll"/> may be called while <see cref="ReceiveAsync"/> waits.
    /// </summary>
    private readonly LinkedList<(ReceivedMessage Message, RpcHead Head)> _held = new();

    /// <summary>The pending read of the client's next message; null if no read is pending. Used only by the loop that receives.</summary>
    private Task<ReceivedMessage>? _receiving;

    /// <summary>When the client's input ended (a timestamp of the clock); null before. Used only by the loop that receives.</summary>
    private long? _endedAt;

    /// <summary>The handshake for which messages are held back; null while none are. Set by the loop that receives, set to null by any thread.</summary>
    private Holding? _holding;

    /// <summary>Whether no message, pending read or end of the client's input is kept here. Then the caller may read from the client directly.</summary>
    public bool IsIdle => Volatile.Read(ref _holding) is null && _held.Count == 0 && _receiving is null && _endedAt is null;

    /// <summary>Starts to hold messages back.</summary>
    /// <param name="handshake">The id of the client's <c>initialize</c>, which has not been answered.</param>
    public void Hold(MessageId handshake)
    {
        Debug.Assert(_holding is null, "One handshake is awaited at a time.");
        Volatile.Write(ref _holding, new Holding(handshake));
    }

    /// <summary>Stops holding messages back. Called when the <c>initialize</c> has been answered or cancelled.</summary>
    public void Release() => Interlocked.Exchange(ref _holding, null)?.Over.TrySetResult();

    /// <summary>Receives the client's next message, or the end of its input, and waits while these are held back.</summary>
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

    /// <summary>Removes and returns all messages that are held back. Called when nothing is received any more.</summary>
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

    /// <summary>Waits until a handshake is over, or the end of the input has been held back for the drain time.</summary>
    /// <param name="holding">The handshake.</param>
    /// <param name="ago">How long ago the client's input ended.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    /// <returns>Whether the handshake is over; false if the drain time has passed.</returns>
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

    /// <summary>Handles the message that was received: it is returned, is held back, or cancels a request that is held back.</summary>
    /// <returns>The message; null if it is held back, cancels a held request, or is the end of the input.</returns>
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
            Release(); // a cancelled initialize gets no answer that could be waited for
        }

        return null;
    }

    /// <summary>Drops a cancelled request if it is held back. Returns whether it was.</summary>
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

    /// <summary>A handshake that has not been answered, so messages are held back.</summary>
    /// <param name="handshake">The id of the client's <c>initialize</c>.</param>
    private sealed class Holding(MessageId handshake)
    {
        public MessageId Handshake => handshake;

        /// <summary>Completed when the handshake has been answered or cancelled.</summary>
        public TaskCompletionSource Over { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);
    }
}
