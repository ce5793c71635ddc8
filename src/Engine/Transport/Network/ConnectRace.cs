using System.Diagnostics;
using System.Net;
using McpProxyFast.Outcomes;

namespace McpProxyFast.Transport.Network;

/// <summary>Tries the addresses of one name, one after another, until one is connected to (RFC 8305 §5). Of one connect, and used once.</summary>
/// <remarks>
/// The next address is tried as soon as the last one has failed, or has not got on for <see cref="HeadStart"/>; those before it go on meanwhile. The first that
/// is connected to, TLS included, wins; what becomes of the others is given back. Where the addresses are all used up and the answer is an old one, the name is
/// asked for once more.
/// </remarks>
/// <param name="begin">Begins to connect to an address.</param>
/// <param name="askAnew">Finds other addresses, or null; asked once, where the first have been tried in vain. Null where there can be no others.</param>
/// <param name="clock">Measures the head start.</param>
internal sealed class ConnectRace(
    Func<IPAddress, CancellationToken, ConnectAttempt> begin, Func<CancellationToken, Task<NameAnswer?>>? askAnew, TimeProvider clock)
{
    /// <summary>How long an attempt has before the next one starts beside it: RFC 8305 §5 recommends 250 ms, and no more than 2 s.</summary>
    public static readonly TimeSpan HeadStart = TimeSpan.FromMilliseconds(300);

    /// <summary>All that have begun.</summary>
    private readonly List<ConnectAttempt> _attempts = [];

    /// <summary>Those of them that have not been seen to end.</summary>
    private readonly List<ConnectAttempt> _running = [];

    /// <summary>Addresses that are still to be tried.</summary>
    private readonly Queue<IPAddress> _untried = new();

    /// <summary>The name being asked for once more; null until then.</summary>
    private Task<NameAnswer?>? _asking;

    /// <summary>What that has brought is in the queue.</summary>
    private bool _isAnswerTaken;

    /// <summary>Those that have begun, in their order. For the caller, once the race is over.</summary>
    public IReadOnlyList<ConnectAttempt> Attempts => _attempts;

    /// <summary>Runs the race.</summary>
    /// <param name="addresses">At least one; the best first.</param>
    /// <param name="ending">Ends it: the time is over, or the client went away.</param>
    /// <returns>The winner, whose connection is the caller's now; null for none.</returns>
    public async Task<ConnectAttempt?> RunAsync(IPAddress[] addresses, CancellationToken ending)
    {
        Debug.Assert(_attempts.Count == 0 && addresses.Length > 0, "A race is run once, and has somebody to run.");
        Array.ForEach(addresses, _untried.Enqueue);
        using var losing = CancellationTokenSource.CreateLinkedTokenSource(ending);
        ConnectAttempt? winner = null;
        try
        {
            do
            {
                winner = TakeEnded();
            }
            while (winner is null && !ending.IsCancellationRequested && await GoOnAsync(losing.Token).ConfigureAwait(false));
            return winner;
        }
        finally
        {
            losing.Cancel();
            GiveBack(winner);
        }
    }

    /// <summary>Takes note of the attempts that have ended. One that ends later, however soon, still runs: it is waited for, and the wait is short.</summary>
    /// <returns>One that has connected; null for none.</returns>
    private ConnectAttempt? TakeEnded()
    {
        ConnectAttempt? connected = null;
        for (int i = _running.Count - 1; i >= 0; i--)
        {
            ConnectAttempt attempt = _running[i];
            if (attempt.Ended.IsCompleted)
            {
                _running.RemoveAt(i);
                connected = attempt.Connection is null ? connected : attempt;
            }
        }

        return connected;
    }

    /// <summary>Begins the next attempt where it is due; else waits until something has changed.</summary>
    /// <returns>False where nothing can change any more.</returns>
    private async ValueTask<bool> GoOnAsync(CancellationToken losing)
    {
        await TakeAnswerAsync().ConfigureAwait(false);
        TimeSpan? left = TimeToNext();
        if (left <= TimeSpan.Zero)
        {
            BeginNext(losing);
            return true;
        }

        List<Task> waits = _running.ConvertAll(static attempt => attempt.Ended);
        if (_asking is not null && !_isAnswerTaken)
        {
            waits.Add(_asking);
        }

        if (waits.Count == 0)
        {
            return false;
        }

        await ((Task)Task.WhenAny(waits)).WaitAsync(left ?? Timeout.InfiniteTimeSpan, clock, losing).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        return true;
    }

    /// <summary>How long until the next attempt is due; null where there is none to begin.</summary>
    private TimeSpan? TimeToNext()
    {
        bool hasNext = _untried.Count > 0 || (askAnew is not null && _asking is null);
        if (!hasNext)
        {
            return null;
        }

        if (_attempts.Count == 0 || !_running.Contains(_attempts[^1]))
        {
            return TimeSpan.Zero;
        }

        // A timer knows whole milliseconds; one that came a little too early would be asked again and again.
        return TimeSpan.FromMilliseconds(Math.Ceiling((HeadStart - clock.GetElapsedTime(_attempts[^1].ProgressAt)).TotalMilliseconds));
    }

    private void BeginNext(CancellationToken losing)
    {
        if (_untried.TryDequeue(out IPAddress? next))
        {
            ConnectAttempt attempt = begin(next, losing);
            _attempts.Add(attempt);
            _running.Add(attempt);
        }
        else
        {
            Debug.Assert(_asking is null, "The name is asked for once more, and not again.");
            _asking = askAnew!(losing);
        }
    }

    /// <summary>Queues the addresses of the new answer that have not been tried.</summary>
    private async ValueTask TakeAnswerAsync()
    {
        if (_isAnswerTaken || _asking is not { IsCompleted: true })
        {
            return;
        }

        _isAnswerTaken = true;
        NameAnswer? other = await _asking.ConfigureAwait(false);
        foreach (IPAddress address in other?.Addresses ?? [])
        {
            if (!_attempts.Exists(attempt => attempt.Address.Address.Equals(address)))
            {
                _untried.Enqueue(address);
            }
        }
    }

    /// <summary>What comes of the losers is given back as soon as it is known; each sees by its token that it has lost.</summary>
    private void GiveBack(ConnectAttempt? winner)
    {
        foreach (ConnectAttempt attempt in _attempts)
        {
            if (attempt != winner)
            {
                _ = attempt.GiveBackAsync();
            }
        }
    }
}
