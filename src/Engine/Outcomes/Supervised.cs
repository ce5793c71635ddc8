using System.Diagnostics;
using Microsoft.Extensions.Logging;

namespace McpProxyFast.Outcomes;

/// <summary>
/// Runs work in the background again and again, such as the refresh of signing keys, until this object is disposed of. One run follows the other; two never
/// overlap. An exception of a run does not end the work.
/// </summary>
/// <remarks>
/// A run handles the exceptions that it expects. Others have an unforeseen cause: bytes of a peer, or a bug. If such an exception ended the work, nobody might
/// notice for days. So the exception is logged if the run before did not fail too, and the next run comes after a pause, which grows from failure to failure.
/// </remarks>
internal sealed class Supervised : IAsyncDisposable
{
    /// <summary>The pause after a failed run. If the next run fails too, the pause is doubled, and so on.</summary>
    public static readonly TimeSpan FirstPause = TimeSpan.FromSeconds(1);

    /// <summary>The longest pause after a failed run. So when the cause of the failures is gone, the work continues within a minute.</summary>
    public static readonly TimeSpan MaxPause = TimeSpan.FromMinutes(1);

    /// <summary>The name of the work in the log. Never changes.</summary>
    private readonly string _name;

    /// <summary>
    /// Does one run of the work. Returns how long to wait before the next run; infinite means until <see cref="Schedule"/> or <see cref="Begin"/> is called.
    /// Never changes.
    /// </summary>
    private readonly Func<CancellationToken, Task<TimeSpan>> _work;

    /// <summary>Logs failures. It is wrapped, since an exception of the logger must not end the work. Never changes.</summary>
    private readonly ILogger _logger;

    /// <summary>Fires when the next run is due. Valid until this object is disposed of.</summary>
    private readonly ITimer _timer;

    /// <summary>Cancelled when this object is disposed of, to cancel the current run.</summary>
    private readonly CancellationTokenSource _stopping = new();

    /// <summary>Guards the next three fields and keeps them consistent with the timer. It is held only briefly, not during a run.</summary>
    private readonly Lock _gate = new();

    /// <summary>A task that ends together with the current run; null between two runs.</summary>
    private TaskCompletionSource? _runEnd;

    /// <summary>Whether another run became due during the current one. Valid during a run.</summary>
    private bool _isDue;

    /// <summary>Whether <see cref="Schedule"/> was called during the current run, so that the timer is set already. Valid during a run.</summary>
    private bool _isScheduled;

    /// <summary>How many runs in a row have failed. Used only by the current run.</summary>
    private int _failures;

    /// <param name="name">The name of the work in the log.</param>
    /// <param name="work">
    /// Does one run of the work. Returns how long to wait before the next run; infinite means until <see cref="Schedule"/> or <see cref="Begin"/> is called.
    /// </param>
    /// <param name="clock">Measures the waits.</param>
    /// <param name="logger">Logs the type of an exception. The message is not logged, since it may contain a secret.</param>
    public Supervised(string name, Func<CancellationToken, Task<TimeSpan>> work, TimeProvider clock, ILogger logger)
    {
        (_name, _work, _logger) = (name, work, GuardedLogger.Around(logger));
        _timer = clock.CreateTimer(static state => ((Supervised)state!).Begin(), this, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
    }

    /// <summary>Begins a run at once; its code runs on this thread until it first awaits. During a run, this method makes another run follow it.</summary>
    public void Begin()
    {
        if (TryBegin())
        {
            _ = RunAsync(); // never throws
        }
    }

    /// <summary>Sets when the next run begins. This replaces the time that was set before, and the wait that the current run will return.</summary>
    /// <param name="wait">The time from now; infinite means until <see cref="Schedule"/> or <see cref="Begin"/> is called.</param>
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
            running = _runEnd?.Task ?? Task.CompletedTask;
        }

        await running.ConfigureAwait(false);
    }

    private bool TryBegin()
    {
        lock (_gate)
        {
            if (_runEnd is not null || _stopping.IsCancellationRequested)
            {
                _isDue = true;
                return false;
            }

            _runEnd = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            (_isDue, _isScheduled) = (false, false);
            return true;
        }
    }

    private async Task RunAsync()
    {
        bool isDue;
        do
        {
            isDue = End(await RunOnceAsync().ConfigureAwait(false));
        }
        while (isDue && TryBegin());
    }

    /// <param name="wait">The wait that the run returned, or the pause after a failure.</param>
    /// <returns>Whether the next run is due already.</returns>
    private bool End(TimeSpan wait)
    {
        lock (_gate)
        {
            Debug.Assert(_runEnd is not null, "Only a turn that is under way can end.");
            _runEnd.SetResult();
            _runEnd = null;

            // After a failure there is always a pause, even if the next run is due already.
            _isDue &= _failures == 0;
            if (_failures > 0 || !(_isDue || _isScheduled))
            {
                _timer.Change(wait, Timeout.InfiniteTimeSpan); // has no effect after the timer has been disposed of
            }

            return _isDue;
        }
    }

    /// <returns>How long to wait before the next run.</returns>
    private async Task<TimeSpan> RunOnceAsync()
    {
        try
        {
            TimeSpan wait = await _work(_stopping.Token).ConfigureAwait(false);
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
