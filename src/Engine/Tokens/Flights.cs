using System.Collections.Concurrent;
using System.Diagnostics.CodeAnalysis;

namespace McpProxyFast.Tokens;

/// <summary>One piece of work in progress. Waiters never continue on the thread that completes it, so they cannot hold it up.</summary>
internal abstract class Flight<TResult>() : TaskCompletionSource<TResult>(TaskCreationOptions.RunContinuationsAsynchronously);

/// <summary>
/// Work in progress, by digest. A second request for the same work joins the first. The work runs to its end even if a waiter leaves, so a waiter that leaves
/// fails nobody else.
/// </summary>
/// <param name="most">Maximum number of pieces of work at a time. There is no queue beyond it, since it would only grow.</param>
/// <param name="tooMany">The result beyond that maximum.</param>
internal sealed class Flights<TFlight, TResult>(int most, TResult tooMany)
    where TFlight : Flight<TResult>
{
    /// <summary>The work in progress.</summary>
    private readonly ConcurrentDictionary<TokenDigest, TFlight> _pending = new();

    /// <summary>How many pieces of work there are, including one that is being refused.</summary>
    private int _count;

    public bool TryFind(in TokenDigest digest, [NotNullWhen(true)] out TFlight? flight) => _pending.TryGetValue(digest, out flight);

    /// <summary>Joins the work in progress for the digest, or starts it.</summary>
    /// <param name="digest">What it is about.</param>
    /// <param name="mine">The flight to start if there is none.</param>
    /// <param name="work">Does it, off this thread.</param>
    /// <param name="isOwn">Whether this call started it.</param>
    public TFlight Join(TokenDigest digest, TFlight mine, Func<TokenDigest, TFlight, Task<TResult>> work, out bool isOwn)
    {
        TFlight first = _pending.GetOrAdd(digest, mine);
        isOwn = first == mine;
        if (isOwn)
        {
            TakeOff(digest, mine, work);
        }

        return first;
    }

    private void TakeOff(TokenDigest digest, TFlight flight, Func<TokenDigest, TFlight, Task<TResult>> work)
    {
        if (Interlocked.Increment(ref _count) > most)
        {
            Leave(digest);
            flight.SetResult(tooMany);
            return;
        }

#pragma warning disable RS0030 // Off this thread, which may be a socket's: it has no time for signatures and requests.
        _ = Task.Run(() => RunAsync(digest, flight, work));
#pragma warning restore RS0030
    }

    private async Task RunAsync(TokenDigest digest, TFlight flight, Func<TokenDigest, TFlight, Task<TResult>> work)
    {
        try
        {
            TResult result = await work(digest, flight).ConfigureAwait(false);
            Leave(digest);
            flight.SetResult(result);
        }
        catch (Exception bug)
        {
            // Work is expected to return its failures. If it ever throws, its waiters must still be released.
            Leave(digest);
            flight.SetException(bug);
        }
    }

    private void Leave(TokenDigest digest)
    {
        Interlocked.Decrement(ref _count);
        _pending.TryRemove(digest, out _);
    }
}
