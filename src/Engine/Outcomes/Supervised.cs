using System.Diagnostics;
using Microsoft.Extensions.Logging;

namespace McpProxyFast.Outcomes;

/// <summary>
/// Runs background work in turns, one at a time, until disposed of. An exception of a turn does not end the work. All background work uses this class.
/// </summary>
/// <remarks>
/// A turn handles the exceptions that it expects. Others have an unforeseen cause: bytes of a peer, a host's logger, or a bug. If one ended the work, nobody
/// would notice for days. So the first failure in a row is logged, and the next turn comes after a pause that grows.
/// </remarks>
internal sealed class Supervised : IAsyncDisposable
{
    /// <summary>The pause after the first failure in a row; each further failure doubles it.</summary>
    public static readonly TimeSpan FirstPause = TimeSpan.FromSeconds(1);

    /// <summary>The longest pause between failures: when the cause is gone, the work continues within a minute.</summary>
    public static readonly TimeSpan MaxPause = TimeSpan.FromMinutes(1);

    /// <summary>The name of the work in the log. Never changes.</summary>
    private readonly string _name;

    /// <summary>
    /// Does the work once and returns how long to wait for the next turn; infinite means until <see cref="Schedule"/> is called. Never changes.
    /// </summary>
    private readonly Func<CancellationToken, Task<TimeSpan>> _turn;

    /// <summary>Logs failures. An exception of the logger must not end the background work. Never changes.</summary>
    private readonly ILogger _logger;

    /// <summary>Fires when the next turn is due. Valid until this object is disposed of.</summary>
    private readonly ITimer _timer;

    /// <summary>Cancelled when this object is disposed of; this cancels the current turn.</summary>
    private readonly CancellationTokenSource _stopping = new();

    /// <summary>Guards the fields below and keeps them consistent with the timer. It is held only briefly, never while a turn runs.</summary>
    private readonly Lock _gate = new();

    /// <summary>Completed when the current turn has ended; null between two turns.</summary>
    private TaskCompletionSource? _turnEnd;

    /// <summary>Whether another turn became due during the current one. Valid while a turn runs.</summary>
    private bool _isDue;

    /// <summary>Whether the turn after the current one has been scheduled, so that the timer is set already. Valid while a turn runs.</summary>
    private bool _isScheduled;

    /// <summary>How many turns in a row have failed. Only a turn uses this field, and there is one turn at a time.</summary>
    private int _failures;

    /// <param name="name">The name of the work in the log.</param>
    /// <param name="turn">Does the work once and returns how long to wait for the next turn; infinite means until <see cref="Schedule"/> is called.</param>
    /// <param name="clock">Measures the waits.</param>
    /// <param name="logger">Logs a failure, by type only: the exception's message may contain a secret.</param>
    public Supervised(string name, Func<CancellationToken, Task<TimeSpan>> turn, TimeProvider clock, ILogger logger)
    {
        (_name, _turn, _logger) = (name, turn, GuardedLogger.Around(logger));
        _timer = clock.CreateTimer(static state => ((Supervised)state!).Begin(), this, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
    }

    /// <summary>Begins a turn at once, on this thread until it first awaits. If a turn runs already, another one follows it.</summary>
    public void Begin()
    {
        if (TryBegin())
        {
            _ = RunAsync(); // never throws
        }
    }

    /// <summary>Sets when the next turn comes. This replaces the time set before, and the time that the current turn will return.</summary>
    /// <param name="wait">How long from now; infinite means not before it is set again.</param>
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

    /// <param name="wait">The wait that the turn returned, or the pause after a failure.</param>
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
