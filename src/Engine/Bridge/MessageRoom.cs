namespace McpProxyFast.Bridge;

/// <summary>Bounds the memory of a client's messages: each takes room while it is read, and gives it back when its bytes are no longer needed.</summary>
/// <remarks>
/// The messages come one after another on the same input. A message that waits for room therefore delays those after it, even a cancellation that would make
/// room. So a message waits for a limited time only. After that, further messages are refused at once if there is no room for them, until a large one has given
/// its room back. Only one caller at a time may use this class.
/// </remarks>
/// <param name="clock">Times the wait.</param>
/// <param name="maxLargeBytes">The maximum number of bytes that all messages may take together for a large message to get room.</param>
internal sealed class MessageRoom(TimeProvider clock, long maxLargeBytes = MemoryBudget.DefaultBytes)
{
    /// <summary>How many bytes small messages may take beyond that, so that large messages that wait for a server leave room for small ones.</summary>
    public const long SmallBytes = 64 * 1024 * 1024;

    /// <summary>How long a message of the client waits for room.</summary>
    public static readonly TimeSpan WaitTime = TimeSpan.FromSeconds(5);

    /// <summary>Counts the bytes that messages take.</summary>
    private readonly MemoryBudget _budget = new(maxLargeBytes, SmallBytes);

    /// <summary>The value of <see cref="MemoryBudget.LargeGone"/> when a message was last refused; null before the first refusal.</summary>
    private long? _stalledAt;

    /// <summary>Takes room for the bytes of a message that have been read so far.</summary>
    /// <returns>Whether there was room. If there was none, the message has lost its share, and its bytes must not be kept.</returns>
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

    /// <summary>Takes the message's share back and notes the refusal.</summary>
    private bool Refuse(MessageBuffer message)
    {
        message.GiveUpHold();
        _stalledAt = _budget.LargeGone;
        return false;
    }
}
