using System.Diagnostics;
using System.Net;
using McpProxyFast.Outcomes;

namespace McpProxyFast.Transport.Network;

/// <summary>Tries the addresses of a name in turn until one connects (RFC 8305 §5). Used for one connect only.</summary>
/// <remarks>
/// The next address is tried as soon as the last one has failed, or has made no progress for <see cref="HeadStart"/>. Earlier attempts continue meanwhile. The
/// first attempt that connects, including TLS, wins; connections of the others are closed. If all addresses were tried and the answer is an old one, the name
/// is looked up once more.
/// </remarks>
/// <param name="begin">Starts to connect to an address.</param>
/// <param name="askAnew">Finds other addresses, or null. Called once, if all addresses were tried. Null if there can be no others.</param>
/// <param name="clock">Measures the head start.</param>
internal sealed class ConnectRace(
    Func<IPAddress, CancellationToken, ConnectAttempt> begin, Func<CancellationToken, Task<NameAnswer?>>? askAnew, TimeProvider clock)
{
    /// <summary>How long the last attempt may take before the next one starts in parallel. RFC 8305 §5 recommends 250 ms, and no more than 2 s.</summary>
    public static readonly TimeSpan HeadStart = TimeSpan.FromMilliseconds(300);

    /// <summary>All attempts that have started.</summary>
    private readonly List<ConnectAttempt> _attempts = [];

    /// <summary>The attempts that have not been seen to end.</summary>
    private readonly List<ConnectAttempt> _running = [];

    /// <summary>The addresses that have not been tried.</summary>
    private readonly Queue<IPAddress> _untried = new();

    /// <summary>The second look-up of the name; null until it starts.</summary>
    private Task<NameAnswer?>? _asking;

    /// <summary>The result of the second look-up has been added to the queue.</summary>
    private bool _isAnswerTaken;

    /// <summary>All attempts that have started, in order. For the caller, once the race is over.</summary>
    public IReadOnlyList<ConnectAttempt> Attempts => _attempts;

    /// <summary>Runs the race.</summary>
    /// <param name="addresses">At least one address; the best first.</param>
    /// <param name="ending">Ends the race: the time is up, or the client disconnected.</param>
    /// <returns>The winner, whose connection now belongs to the caller; null if there is none.</returns>
    public async Task<ConnectAttempt?> RunAsync(IPAddress[] addresses, CancellationToken ending)
    {
        Debug.Assert(_attempts.Count == 0 && addresses.Length > 0, "A race is run once, with at least one address.");
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

    /// <summary>
    /// Removes ended attempts from the running ones. An attempt that ends just after the check still counts as running; the wait for it is then short.
    /// </summary>
    /// <returns>An attempt that has connected; null if there is none.</returns>
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

    /// <summary>Starts the next attempt if it is due. Otherwise waits until something changes.</summary>
    /// <returns>False if nothing can change any more.</returns>
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

    /// <summary>The time until the next attempt is due; null if there is none to start.</summary>
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

        // A timer has millisecond resolution. If it fired slightly early, it would be set again and again.
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
            Debug.Assert(_asking is null, "The name is looked up again only once.");
            _asking = askAnew!(losing);
        }
    }

    /// <summary>Queues addresses of the new answer that have not been tried.</summary>
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

    /// <summary>Closes the losers' connections as soon as each attempt has ended. Their token tells them that they have lost.</summary>
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
