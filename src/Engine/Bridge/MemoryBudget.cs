using System.Diagnostics;

namespace McpProxyFast.Bridge;

/// <summary>Bounds the memory that messages hold together: each takes a share as it grows, and gives it back with its bytes.</summary>
/// <remarks>
/// What is rented counts, not what of it is filled. A message that there is no room for is refused (<see cref="TakeTurnAsync"/>), or waits until others have
/// gone (<see cref="WaitAsync"/>).
/// </remarks>
/// <param name="most">The budget in bytes.</param>
/// <param name="moreForSmall">What messages that are not <see cref="Large"/> may take beyond it.</param>
internal sealed class MemoryBudget(long most = MemoryBudget.DefaultBytes, long moreForSmall = 0) : IMessageBound
{
    /// <summary>A few messages of the largest size, or as many smaller ones as fit.</summary>
    public const long DefaultBytes = 256 * 1024 * 1024;

    /// <summary>From here on a message is large.</summary>
    public const int Large = 1024 * 1024;

    /// <summary>What a message takes at least: it costs more than its bytes.</summary>
    private const int MinBytes = 4 * 1024;

    /// <summary>Guards what follows.</summary>
    private readonly Lock _gate = new();

    /// <summary>Bytes that are held now.</summary>
    private long _held;

    /// <summary>How many large messages have gone.</summary>
    private long _largeGone;

    /// <summary>Completed when some bytes are given back; null while nobody waits.</summary>
    private TaskCompletionSource? _givenBack;

    /// <summary>The budget in bytes.</summary>
    public long Most => most;

    /// <summary>How many large messages have gone.</summary>
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

    /// <summary>Takes what a message has grown by.</summary>
    /// <returns>Whether there was room. Where there was none, the message keeps what it has.</returns>
    public bool TryTake(MessageBuffer message) => TryTake(message, out _);

    /// <summary>Takes what a message has grown by.</summary>
    /// <exception cref="BudgetSpentException">There is no room for it.</exception>
    public ValueTask TakeTurnAsync(MessageBuffer message, CancellationToken cancellationToken) =>
        TryTake(message) ? ValueTask.CompletedTask : throw new BudgetSpentException();

    /// <summary>Takes what a message has grown by, as soon as there is room.</summary>
    /// <param name="message">One that can be held alone.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    public async Task WaitAsync(MessageBuffer message, CancellationToken cancellationToken)
    {
        Debug.Assert(message.Held <= RoomFor(message.Held), "It can be held alone.");
        while (!TryTake(message, out Task givenBack))
        {
            await givenBack.WaitAsync(cancellationToken).ConfigureAwait(false);
        }
    }

    /// <param name="message">Takes what it has grown by.</param>
    /// <param name="givenBack">Completed when there is more room; at once where it was taken.</param>
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

    /// <summary>What one message holds. Its bytes are guarded by the budget's lock.</summary>
    private sealed class Share(MemoryBudget budget) : IDisposable
    {
        public long Bytes { get; set; }

        public void Dispose() => budget.GiveBack(this);
    }
}

/// <summary>A message is refused, because those under way hold too much.</summary>
internal sealed class BudgetSpentException() : Exception("The messages under way hold too much.");
