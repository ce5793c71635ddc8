using System.Diagnostics;
using Microsoft.Extensions.Logging;

namespace McpProxyFast.Outcomes;

/// <summary>The one way in which anything runs in the background: in turns, one at a time, until disposed of. Nothing that a turn throws ends it.</summary>
/// <remarks>
/// A turn handles what it expects. An exception nevertheless has an unforeseen cause: bytes of a peer, a host's logger, or a bug. A
/// loop that ended by it would be missed days later. So a row of failures is logged once, and the next turn comes after a pause that grows.
/// </remarks>
internal sealed class Supervised : IAsyncDisposable
{
    /// <summary>The pause after the first failure of a row; each further one doubles it.</summary>
    public static readonly TimeSpan FirstPause = TimeSpan.FromSeconds(1);

    /// <summary>The longest pause: what has failed all night goes on within a minute.</summary>
    public static readonly TimeSpan MaxPause = TimeSpan.FromMinutes(1);

    /// <summary>What runs, in the log's words. Never changes.</summary>
    private readonly string _name;

    /// <summary>Does the work once and says how long to wait for the next turn; infinite: until <see cref="Schedule"/>. Never changes.</summary>
    private readonly Func<CancellationToken, Task<TimeSpan>> _turn;

    /// <summary>Logs failures. An exception of the logger must not end the background work. Never changes.</summary>
    private readonly ILogger _logger;

    /// <summary>Fires when the next turn is due. Valid until disposed of.</summary>
    private readonly ITimer _timer;

    /// <summary>Cancelled by the end, and with it the turn that is under way.</summary>
    private readonly CancellationTokenSource _stopping = new();

    /// <summary>Held for moments, never while a turn runs: guards the fields below and keeps them in step with the timer.</summary>
    private readonly Lock _gate = new();

    /// <summary>Completed when the turn under way has ended; null between two turns.</summary>
    private TaskCompletionSource? _turnEnd;

    /// <summary>Whether another turn has come due during this one. Valid while one is under way.</summary>
    private bool _isDue;

    /// <summary>Whether this turn's successor has been scheduled, so that the timer is set already. Valid while one is under way.</summary>
    private bool _isScheduled;

    /// <summary>How many turns in a row have failed. Touched by the turn alone, of which there is one at a time.</summary>
    private int _failures;

    /// <param name="name">What runs, in the log's words.</param>
    /// <param name="turn">Does the work once and says how long to wait for the next turn; infinite: until <see cref="Schedule"/>.</param>
    /// <param name="clock">Measures the waits.</param>
    /// <param name="logger">Logs a failure, by its type: the text is not ours and may hold a secret.</param>
    public Supervised(string name, Func<CancellationToken, Task<TimeSpan>> turn, TimeProvider clock, ILogger logger)
    {
        (_name, _turn, _logger) = (name, turn, GuardedLogger.Around(logger));
        _timer = clock.CreateTimer(static state => ((Supervised)state!).Begin(), this, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
    }

    /// <summary>Begins a turn at once, on this thread up to its first wait. While one is under way it will be followed by another.</summary>
    public void Begin()
    {
        if (TryBegin())
        {
            _ = RunAsync(); // never throws
        }
    }

    /// <summary>Sets when the next turn comes, in place of what was set before and of what a turn under way will say.</summary>
    /// <param name="wait">From now; infinite: not before it is set again.</param>
    public void Schedule(TimeSpan wait)
    {
        lock (_gate)
        {
            _isDue = false;
            _isScheduled = true;
            _timer.Change(wait, Timeout.InfiniteTimeSpan);
        }
    }

    public async ValueTask DisposeAsync()
    {
        await _stopping.CancelAsync().ConfigureAwait(false);
        await _timer.DisposeAsync().ConfigureAwait(false);
        Task running;
        lock (_gate)
        {
            running = _turnEnd?.Task ?? Task.CompletedTask;
        }

        await running.ConfigureAwait(false);
    }

    private bool TryBegin()
    {
        lock (_gate)
        {
            if (_turnEnd is not null || _stopping.IsCancellationRequested)
            {
                _isDue = true;
                return false;
            }

            _turnEnd = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            (_isDue, _isScheduled) = (false, false);
            return true;
        }
    }

    private async Task RunAsync()
    {
        bool isDue;
        do
        {
            isDue = End(await TakeTurnAsync().ConfigureAwait(false));
        }
        while (isDue && TryBegin());
    }

    /// <param name="wait">What the turn said, or the pause after a failure.</param>
    /// <returns>Whether the next turn is due already.</returns>
    private bool End(TimeSpan wait)
    {
        lock (_gate)
        {
            Debug.Assert(_turnEnd is not null, "Only a turn that is under way can end.");
            _turnEnd.SetResult();
            _turnEnd = null;

            // After a failure there is a pause, even if a turn is due.
            _isDue &= _failures == 0;
            if (_failures > 0 || !(_isDue || _isScheduled))
            {
                _timer.Change(wait, Timeout.InfiniteTimeSpan); // without effect once disposed of
            }

            return _isDue;
        }
    }

    /// <returns>How long to wait for the next turn.</returns>
    private async Task<TimeSpan> TakeTurnAsync()
    {
        try
        {
            TimeSpan wait = await _turn(_stopping.Token).ConfigureAwait(false);
            _failures = 0;
            return wait;
        }
        catch (Exception) when (_stopping.IsCancellationRequested)
        {
            return Timeout.InfiniteTimeSpan;
        }
        catch (Exception fault)
        {
            if (_failures++ == 0)
            {
                _logger.TurnFailed(_name, fault.GetType().ToString());
            }

            return TimeSpan.FromSeconds(Math.Min(FirstPause.TotalSeconds * Math.Pow(2, Math.Min(_failures - 1, 16)), MaxPause.TotalSeconds));
        }
    }
}
