using System.Diagnostics;

namespace McpProxyFast.Bridge;

/// <summary>
/// Bounds the memory that all messages take together. Each message has a share of the budget, which grows with the message. When the message's bytes are
/// disposed of, other messages can use the share.
/// </summary>
/// <remarks>
/// Rented buffers count in full, even if they are only partly filled. If there is no room for a message, it is refused (<see cref="TakeTurnAsync"/>) or waits
/// until other messages have been disposed of (<see cref="WaitAsync"/>).
/// </remarks>
/// <param name="most">The budget in bytes.</param>
/// <param name="moreForSmall">By how many bytes the budget is larger for messages that are not large (<see cref="Large"/>).</param>
internal sealed class MemoryBudget(long most = MemoryBudget.DefaultBytes, long moreForSmall = 0) : IMessageBound
{
    /// <summary>The default budget in bytes: four messages of the largest size, or as many smaller ones as fit.</summary>
    public const long DefaultBytes = 256 * 1024 * 1024;

    /// <summary>A message that takes more bytes counts as large.</summary>
    public const int Large = 1024 * 1024;

    /// <summary>The smallest share of a message, in bytes, since even an empty message takes memory.</summary>
    private const int MinBytes = 4 * 1024;

    /// <summary>Guards the fields below, and the sizes of the shares.</summary>
    private readonly Lock _gate = new();

    /// <summary>The size of all shares together, in bytes.</summary>
    private long _held;

    /// <summary>How many large messages have given their share back so far.</summary>
    private long _largeGone;

    /// <summary>Completed when a share is given back; null while nobody waits for that.</summary>
    private TaskCompletionSource? _givenBack;

    /// <summary>The budget in bytes.</summary>
    public long Most => most;

    /// <summary>How many large messages have given their share back so far.</summary>
    public long LargeGone
    {
        get
        {
            lock (_gate)
            {
                return _largeGone;
            }
        }
    }

    /// <summary>Enlarges a message's share to the memory that the message takes now.</summary>
    /// <returns>Whether there was room. If not, the share stays as it is.</returns>
    public bool TryTake(MessageBuffer message) => TryTake(message, out _);

    /// <summary>Enlarges a message's share to the memory that the message takes now.</summary>
    /// <exception cref="BudgetSpentException">There is no room. The share stays as it is.</exception>
    public ValueTask TakeTurnAsync(MessageBuffer message, CancellationToken cancellationToken) =>
        TryTake(message) ? ValueTask.CompletedTask : throw new BudgetSpentException();

    /// <summary>Enlarges a message's share to the memory that the message takes now, as soon as there is room.</summary>
    /// <param name="message">A message that would fit into the budget if there were no others.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    public async Task WaitAsync(MessageBuffer message, CancellationToken cancellationToken)
    {
        Debug.Assert(message.Held <= RoomFor(message.Held), "The message fits into the budget if no other message is held.");
        while (!TryTake(message, out Task givenBack))
        {
            await givenBack.WaitAsync(cancellationToken).ConfigureAwait(false);
        }
    }

    /// <param name="message">The message that has grown.</param>
    /// <param name="givenBack">If there was no room: a task that ends when another share is given back. Otherwise a completed task.</param>
    private bool TryTake(MessageBuffer message, out Task givenBack)
    {
        if (message.Hold is not Share share)
        {
            message.Keep(share = new Share(this));
        }

        long bytes = Math.Max(MinBytes, message.Held);
        givenBack = Task.CompletedTask;
        lock (_gate)
        {
            long more = bytes - share.Bytes;
            if (more > 0 && _held + more > RoomFor(bytes))
            {
                givenBack = (_givenBack ??= new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously)).Task;
                return false;
            }

            share.Bytes = bytes;
            _held += more;
            return true;
        }
    }

    private long RoomFor(long bytes) => bytes > Large ? most : most + moreForSmall;

    private void GiveBack(Share share)
    {
        TaskCompletionSource? waiting;
        lock (_gate)
        {
            _held -= share.Bytes;
            Debug.Assert(_held >= 0, "No more is given back than was taken.");
            _largeGone += share.Bytes > Large ? 1 : 0;
            share.Bytes = 0;
            (waiting, _givenBack) = (_givenBack, null);
        }

        waiting?.TrySetResult();
    }

    /// <summary>The share of one message. <see cref="Bytes"/> is guarded by the budget's lock.</summary>
    private sealed class Share(MemoryBudget budget) : IDisposable
    {
        public long Bytes { get; set; }

        public void Dispose() => budget.GiveBack(this);
    }
}

/// <summary>Thrown when a message is refused, because all messages together take too much memory.</summary>
internal sealed class BudgetSpentException() : Exception("The messages under way take too much memory.");
