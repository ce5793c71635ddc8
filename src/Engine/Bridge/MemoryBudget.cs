using System.Diagnostics;

namespace McpProxyFast.Bridge;

/// <summary>
/// Bounds the memory that all messages take together. Each message takes a share as it grows, and gives the share back when its bytes are disposed of.
/// </summary>
/// <remarks>
/// The rented buffers count in full, even if they are only partly filled. If there is no room for a message, it is refused (<see cref="TakeTurnAsync"/>), or
/// waits until others have been disposed of (<see cref="WaitAsync"/>).
/// </remarks>
/// <param name="most">The budget in bytes.</param>
/// <param name="moreForSmall">How many bytes messages that are not <see cref="Large"/> may take beyond the budget.</param>
internal sealed class MemoryBudget(long most = MemoryBudget.DefaultBytes, long moreForSmall = 0) : IMessageBound
{
    /// <summary>The default budget in bytes: four messages of the largest size, or as many smaller ones as fit.</summary>
    public const long DefaultBytes = 256 * 1024 * 1024;

    /// <summary>A message that takes more bytes counts as large.</summary>
    public const int Large = 1024 * 1024;

    /// <summary>The smallest share of a message, in bytes, since even an empty message takes memory.</summary>
    private const int MinBytes = 4 * 1024;

    /// <summary>Guards the fields below, and the shares.</summary>
    private readonly Lock _gate = new();

    /// <summary>Bytes that are held now.</summary>
    private long _held;

    /// <summary>How many large messages have given their share back so far.</summary>
    private long _largeGone;

    /// <summary>Completed when some bytes are given back; null while nobody waits.</summary>
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

    /// <summary>Takes room for what a message has grown by since the last call.</summary>
    /// <returns>Whether there was room. If there was none, the message keeps the share that it has.</returns>
    public bool TryTake(MessageBuffer message) => TryTake(message, out _);

    /// <summary>Takes room for what a message has grown by since the last call.</summary>
    /// <exception cref="BudgetSpentException">There is no room for it.</exception>
    public ValueTask TakeTurnAsync(MessageBuffer message, CancellationToken cancellationToken) =>
        TryTake(message) ? ValueTask.CompletedTask : throw new BudgetSpentException();

    /// <summary>Takes room for what a message has grown by, and waits until there is room.</summary>
    /// <param name="message">A message that fits into the budget if no other message is held.</param>
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
    /// <param name="givenBack">A task that ends when there is more room; if the room was taken, it has ended already.</param>
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

/// <summary>Thrown when a message is refused, because the messages under way take too much memory.</summary>
internal sealed class BudgetSpentException() : Exception("The messages under way take too much memory.");
