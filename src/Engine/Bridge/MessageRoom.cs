namespace McpProxyFast.Bridge;

/// <summary>Bounds what is held of a client's messages: each takes room while it is read, and gives it back when its bytes are no longer needed.</summary>
/// <remarks>
/// All come one after another on the same input, so a message that waits for room holds up those behind it, also the cancellation that would make room. So it
/// waits for a bounded time, once: after that the messages for which there is no room are refused, until a large one has gone. For one reader.
/// </remarks>
/// <param name="clock">For the wait.</param>
/// <param name="maxLargeBytes">Most bytes that are held where one of the messages is large.</param>
internal sealed class MessageRoom(TimeProvider clock, long maxLargeBytes = MemoryBudget.DefaultBytes)
{
    /// <summary>What small messages may take beyond that: large ones that wait for a server leave room for what is said meanwhile.</summary>
    public const long SmallBytes = 64 * 1024 * 1024;

    /// <summary>How long the client's messages wait for room.</summary>
    public static readonly TimeSpan WaitTime = TimeSpan.FromSeconds(5);

    /// <summary>Counts what is held.</summary>
    private readonly MemoryBudget _budget = new(maxLargeBytes, SmallBytes);

    /// <summary>How many large messages had gone when there was no room last; null before that.</summary>
    private long? _stalledAt;

    /// <summary>Takes room for what has been read of a message.</summary>
    /// <returns>Whether there was room. Where there was none, the message has no share any more, and must not be held.</returns>
    public ValueTask<bool> TryTakeAsync(MessageBuffer message, CancellationToken cancellationToken) =>
        _budget.TryTake(message) ? ValueTask.FromResult(true)
        : _stalledAt == _budget.LargeGone ? ValueTask.FromResult(Refuse(message))
        : WaitAsync(message, cancellationToken);

    private async ValueTask<bool> WaitAsync(MessageBuffer message, CancellationToken cancellationToken)
    {
        using var time = new CancellationTokenSource(WaitTime, clock);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(time.Token, cancellationToken);
        try
        {
            await _budget.WaitAsync(message, either.Token).ConfigureAwait(false);
            return true;
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            return Refuse(message);
        }
    }

    /// <summary>Takes back what the message has: it is none of those that have gone.</summary>
    private bool Refuse(MessageBuffer message)
    {
        message.GiveUpHold();
        _stalledAt = _budget.LargeGone;
        return false;
    }
}
