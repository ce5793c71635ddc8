using System.Diagnostics;
using McpProxyFast.Bridge;

namespace McpProxyFast.Cli.Tunnels.OpenAi;

/// <summary>Bounds the memory of all commands under way together: the polls that brought them, and their answers.</summary>
/// <remarks>
/// An answer beyond the budget is refused, so that no command waits for another. A poll waits for commands to end: nothing else waits, so it gets its turn.
/// </remarks>
/// <param name="most">The budget in bytes.</param>
internal sealed class MemoryBudget(long most = MemoryBudget.DefaultBytes) : IMessageBound
{
    /// <summary>A few messages of the largest size, or as many smaller ones as fit.</summary>
    public const long DefaultBytes = 256 * 1024 * 1024;

    /// <summary>Guards what follows.</summary>
    private readonly Lock _gate = new();

    /// <summary>Bytes that are held now.</summary>
    private long _held;

    /// <summary>Completed when some are given back; null while nobody waits.</summary>
    private TaskCompletionSource? _givenBack;

    /// <summary>The budget in bytes.</summary>
    public long Most => most;

    /// <summary>Takes what an answer has grown by.</summary>
    /// <exception cref="BudgetSpentException">That is more than is left.</exception>
    public ValueTask TakeTurnAsync(MessageBuffer message, CancellationToken cancellationToken) =>
        TryTake(message) is null ? ValueTask.CompletedTask : throw new BudgetSpentException();

    /// <summary>Takes what a poll has grown by, as soon as that is left.</summary>
    /// <param name="poll">Not above <see cref="Most"/>.</param>
    /// <param name="cancel">Ends the wait.</param>
    public async Task WaitAsync(MessageBuffer poll, CancellationToken cancel)
    {
        Debug.Assert(poll.Length <= most, "It can be held alone.");
        while (TryTake(poll) is { } givenBack)
        {
            await givenBack.WaitAsync(cancel);
        }
    }

    /// <returns>Null where it was taken; else completed when there is more left.</returns>
    private Task? TryTake(MessageBuffer message)
    {
        Share? share = (Share?)message.Hold;
        long more = message.Length - (share?.Bytes ?? 0);
        lock (_gate)
        {
            if (_held + more > most)
            {
                return (_givenBack ??= new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously)).Task;
            }

            _held += more;
        }

        if (share is null)
        {
            message.Keep(share = new Share(this));
        }

        share.Bytes += more;
        return null;
    }

    private void Give(long bytes)
    {
        TaskCompletionSource? waiting;
        lock (_gate)
        {
            _held -= bytes;
            Debug.Assert(_held >= 0, "No more is given back than was taken.");
            (waiting, _givenBack) = (_givenBack, null);
        }

        waiting?.TrySetResult();
    }

    /// <summary>What one message holds.</summary>
    private sealed class Share(MemoryBudget budget) : IDisposable
    {
        public long Bytes { get; set; }

        public void Dispose() => budget.Give(Bytes);
    }
}

/// <summary>An answer is refused, because the commands under way hold too much.</summary>
internal sealed class BudgetSpentException() : Exception("The commands under way hold too much.");
