using System.Collections.Concurrent;
using System.Diagnostics.CodeAnalysis;

namespace McpProxyFast.Tokens;

/// <summary>One piece of work under way. What waits for it must not run on in the thread that settles it, nor hold that up.</summary>
internal abstract class Flight<TResult>() : TaskCompletionSource<TResult>(TaskCreationOptions.RunContinuationsAsynchronously);

/// <summary>Work under way, by digest: whoever wants the same joins it. It goes on to its end whoever leaves, and so fails nobody else.</summary>
/// <param name="most">Most pieces of work at a time. Above it there is no queue, which would only grow.</param>
/// <param name="tooMany">What is answered above it.</param>
internal sealed class Flights<TFlight, TResult>(int most, TResult tooMany)
    where TFlight : Flight<TResult>
{
    /// <summary>What is under way.</summary>
    private readonly ConcurrentDictionary<TokenDigest, TFlight> _pending = new();

    /// <summary>How many there are, those that are refused as one too many included.</summary>
    private int _count;

    public bool TryFind(in TokenDigest digest, [NotNullWhen(true)] out TFlight? flight) => _pending.TryGetValue(digest, out flight);

    /// <summary>Joins the work under way for the digest, or begins it.</summary>
    /// <param name="digest">What it is about.</param>
    /// <param name="mine">The flight to begin, where there is none.</param>
    /// <param name="work">Does it, off this thread.</param>
    /// <param name="isOwn">Whether it was begun.</param>
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
            // Work answers what goes wrong; were that ever untrue, nobody must wait for ever.
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
