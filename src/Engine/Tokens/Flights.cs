using System.Collections.Concurrent;
using System.Diagnostics.CodeAnalysis;

namespace McpProxyFast.Tokens;

/// <summary>
/// One piece of work in progress. A caller that waits for it never continues on the thread that completes it, so it cannot hold up that thread.
/// </summary>
internal abstract class Flight<TResult>() : TaskCompletionSource<TResult>(TaskCreationOptions.RunContinuationsAsynchronously);

/// <summary>How many pieces of work run at a time, and how many may wait.</summary>
/// <param name="Running">The maximum number that run.</param>
/// <param name="Waiting">The maximum number that wait; 0 means that none may wait.</param>
/// <param name="MaxWait">The maximum time that a piece of work waits. After it, the work is refused.</param>
internal readonly record struct FlightLimits(int Running, int Waiting, TimeSpan MaxWait);

/// <summary>
/// Work in progress, by digest. A second request for the same work joins the first. The work continues even if the caller that started it stops waiting, so the
/// other callers still get its result.
/// </summary>
/// <param name="limits">How much work runs and waits at a time. Waiting work starts in the order in which it came.</param>
/// <param name="refuse">Returns the result for work that the limits do not allow. It must not throw.</param>
/// <param name="clock">Measures the waits.</param>
#pragma warning disable CA1001 // The semaphore holds no system handle, since nobody asks for its AvailableWaitHandle.
internal sealed class Flights<TFlight, TResult>(FlightLimits limits, Func<TokenDigest, TFlight, TResult> refuse, TimeProvider clock)
#pragma warning restore CA1001
    where TFlight : Flight<TResult>
{
    /// <summary>The work in progress and the waiting work.</summary>
    private readonly ConcurrentDictionary<TokenDigest, TFlight> _pending = new();

    /// <summary>The turns: how many more pieces of work may start to run.</summary>
    private readonly SemaphoreSlim _turns = new(limits.Running);

    /// <summary>The number of pieces of work that run, wait, or are being refused.</summary>
    private int _count;

    public bool TryFind(in TokenDigest digest, [NotNullWhen(true)] out TFlight? flight) => _pending.TryGetValue(digest, out flight);

    /// <summary>Joins the work in progress for the digest, or starts it.</summary>
    /// <param name="digest">The digest that identifies the work.</param>
    /// <param name="mine">The flight to start if no work is in progress for the digest.</param>
    /// <param name="work">Does the work, on another thread.</param>
    /// <param name="isOwn">Whether this call started the work.</param>
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
        if (Interlocked.Increment(ref _count) > limits.Running + limits.Waiting)
        {
            TResult refused = refuse(digest, flight);
            Leave(digest);
            flight.SetResult(refused);
            return;
        }

        // The wait for a turn begins here, not on the other thread, so that the queue has the order of the calls.
        Task<bool> turn = TryTakeTurnAsync();
#pragma warning disable RS0030 // Runs on another thread: this one may serve sockets, and signatures and requests would block it for too long.
        _ = Task.Run(() => RunAsync(digest, flight, work, turn));
#pragma warning restore RS0030
    }

    private async Task RunAsync(TokenDigest digest, TFlight flight, Func<TokenDigest, TFlight, Task<TResult>> work, Task<bool> turn)
    {
        try
        {
            TResult result = await InTurnAsync(digest, flight, work, turn).ConfigureAwait(false);
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

    private async Task<TResult> InTurnAsync(TokenDigest digest, TFlight flight, Func<TokenDigest, TFlight, Task<TResult>> work, Task<bool> turn)
    {
        if (!await turn.ConfigureAwait(false))
        {
            return refuse(digest, flight);
        }

        try
        {
            return await work(digest, flight).ConfigureAwait(false);
        }
        finally
        {
            _turns.Release();
        }
    }

    private async Task<bool> TryTakeTurnAsync()
    {
        if (await _turns.WaitAsync(0).ConfigureAwait(false))
        {
            return true; // if a turn is free, no work is waiting: a released turn goes to the work that has waited longest
        }

        using var late = new CancellationTokenSource(limits.MaxWait, clock);
        try
        {
            await _turns.WaitAsync(late.Token).ConfigureAwait(false);
            return true;
        }
        catch (OperationCanceledException)
        {
            return false;
        }
    }

    private void Leave(TokenDigest digest)
    {
        Interlocked.Decrement(ref _count);
        _pending.TryRemove(digest, out _);
    }
}
