namespace McpProxyFast.Bridge;

/// <summary>Bounds the memory of a client's messages: each takes room while it is read, until its bytes are disposed of.</summary>
/// <remarks>
/// The messages come one after another on the same input. A message that waits for room therefore delays those after it, even a cancellation that would make
/// room. So a message waits for a limited time only, and is then refused. Further messages are refused at once if there is no room for them, until a large
/// message has been disposed of. Only one caller at a time may use this class.
/// </remarks>
/// <param name="clock">Times the wait.</param>
/// <param name="maxLargeBytes">A large message gets room only if all messages together take no more bytes than this.</param>
internal sealed class MessageRoom(TimeProvider clock, long maxLargeBytes = MemoryBudget.DefaultBytes)
{
    /// <summary>How many more bytes there are for small messages, so that they get room even while large messages wait for a server.</summary>
    public const long SmallBytes = 64 * 1024 * 1024;

    /// <summary>How long a message of the client waits for room. Then it is refused.</summary>
    public static readonly TimeSpan WaitTime = TimeSpan.FromSeconds(5);

    /// <summary>Counts the bytes that messages take.</summary>
    private readonly MemoryBudget _budget = new(maxLargeBytes, SmallBytes);

    /// <summary>
    /// The value of <see cref="MemoryBudget.LargeGone"/> when a message was last refused; null before the first refusal. While the value is the same, messages
    /// do not wait for room.
    /// </summary>
    private long? _stalledAt;

    /// <summary>Takes room for the bytes of a message that have been read so far.</summary>
    /// <returns>Whether there was room. If not, the message is refused: its bytes do not count any more, and must be dropped.</returns>
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

    /// <summary>Frees the room that the message has taken so far, and notes that it is refused.</summary>
    private bool Refuse(MessageBuffer message)
    {
        message.GiveUpHold();
        _stalledAt = _budget.LargeGone;
        return false;
    }
}
