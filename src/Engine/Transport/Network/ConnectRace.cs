using System.Diagnostics;
using System.Net;
using McpProxyFast.Outcomes;

namespace McpProxyFast.Transport.Network;

/// <summary>Tries the addresses of a name in turn until one connects (RFC 8305 §5). Used for one connect only.</summary>
/// <remarks>
/// The next address is tried as soon as the last one has failed, or has made no progress for <see cref="HeadStart"/>. Earlier attempts continue meanwhile. The
/// first attempt that connects, including TLS, wins; connections of the others are closed. After the last address the name is looked up once more, if the
/// addresses come from an earlier look-up.
/// </remarks>
/// <param name="begin">Starts to connect to an address.</param>
/// <param name="askAnew">
/// Looks the name up again. Called at most once, when no address is left to try. Its result is null if the look-up gives no addresses in time. The parameter is
/// null if the name must not be looked up again.
/// </param>
/// <param name="clock">Measures the head start.</param>
internal sealed class ConnectRace(
    Func<IPAddress, CancellationToken, ConnectAttempt> begin, Func<CancellationToken, Task<NameAnswer?>>? askAnew, TimeProvider clock)
{
    /// <summary>
    /// How long the last attempt may make no progress before the next one starts in parallel. RFC 8305 §5 recommends 250 ms, and no more than 2 s.
    /// </summary>
    public static readonly TimeSpan HeadStart = TimeSpan.FromMilliseconds(300);

    /// <summary>All attempts that have started.</summary>
    private readonly List<ConnectAttempt> _attempts = [];

    /// <summary>The attempts that are still running, or whose end has not been noticed yet.</summary>
    private readonly List<ConnectAttempt> _running = [];

    /// <summary>The addresses that have not been tried.</summary>
    private readonly Queue<IPAddress> _untried = new();

    /// <summary>The second look-up of the name; null until it starts.</summary>
    private Task<NameAnswer?>? _asking;

    /// <summary>The second look-up has ended, and its addresses have been added to <c>_untried</c>.</summary>
    private bool _isAnswerTaken;

    /// <summary>All attempts that have started, in order. Only to be read once the race is over.</summary>
    public IReadOnlyList<ConnectAttempt> Attempts => _attempts;

    /// <summary>Runs the race.</summary>
    /// <param name="addresses">The addresses in the order in which they are tried; at least one.</param>
    /// <param name="ending">Ends the race: the time is up, the client disconnected, or the proxy is stopping.</param>
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

    /// <summary>Removes attempts that have ended from <c>_running</c>. An attempt that ends just after this check stays there until the next one.</summary>
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
    /// <returns>False if nothing runs and nothing is left to start.</returns>
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

    /// <summary>The time until the next address is tried, or the name is looked up again; null if neither is left to do.</summary>
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

        // Rounded up to the resolution of timers. Otherwise a timer that fires slightly early would be set again and again.
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

    /// <summary>If the second look-up has ended, queues those of its addresses that have not been tried.</summary>
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

    /// <summary>Closes the connections of all other attempts, each as soon as its attempt ends. Their token has been cancelled.</summary>
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
