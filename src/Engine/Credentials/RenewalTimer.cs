using McpProxyFast.Outcomes;
using Microsoft.Extensions.Logging;

namespace McpProxyFast.Credentials;

/// <summary>Says once that a moment has come, however far ahead it lies and however long the machine sleeps meanwhile.</summary>
/// <remarks>
/// It has come when the clock says so, or when as much time has passed as there was to wait, whichever is first. A clock can be set back, and a timestamp
/// stands still while the machine sleeps.
/// </remarks>
internal sealed class RenewalTimer : IAsyncDisposable
{
    // A timer stands still while the machine sleeps, and takes no more than 49 days: the clock is looked at in between.
    private static readonly TimeSpan MaxTimer = TimeSpan.FromHours(1);

    /// <summary>What moments are compared with. Never changes.</summary>
    private readonly TimeProvider _clock;

    /// <summary>What is done when the moment has come. Never changes.</summary>
    private readonly Func<Task> _onDue;

    /// <summary>Waits for the moment, and keeps running if the work fails. Valid until disposed of.</summary>
    private readonly Supervised _waiting;

    /// <summary>Held while the moment and the wait are set together, so that they always agree.</summary>
    private readonly Lock _lock = new();

    /// <summary>The moment that was set last and is still to come or to be handled; null for none.</summary>
    private DateTimeOffset? _at;

    /// <summary>How long the wait for the moment was when it was set, and the timestamp of that. Valid while <c>_at</c> is set.</summary>
    private (TimeSpan Wait, long Since) _span;

    public RenewalTimer(TimeProvider clock, Func<Task> onDue, ILogger logger)
    {
        (_clock, _onDue) = (clock, onDue);
        _waiting = new Supervised("renewal of the credential", TakeTurnAsync, clock, logger);
    }

    /// <param name="at">The moment, or null for none; it replaces the one before.</param>
    public void Set(DateTimeOffset? at)
    {
        lock (_lock)
        {
            _at = at;
            _span = (at is { } moment ? moment - _clock.GetUtcNow() : default, _clock.GetTimestamp());
            _waiting.Schedule(UntilThen());
        }
    }

    /// <summary>Whether the moment has come and is still the one that was set last.</summary>
    public bool IsDue()
    {
        lock (_lock)
        {
            return _at is not null && UntilThen() == TimeSpan.Zero;
        }
    }

    public ValueTask DisposeAsync() => _waiting.DisposeAsync();

    private async Task<TimeSpan> TakeTurnAsync(CancellationToken stopping)
    {
        DateTimeOffset? due;
        bool isDue;
        lock (_lock)
        {
            due = _at;
            isDue = due is not null && UntilThen() == TimeSpan.Zero;
        }

        if (isDue)
        {
            bool isDealtWith = false;
            try
            {
                await _onDue().WaitAsync(stopping).ConfigureAwait(false);
                isDealtWith = true;
            }
            finally
            {
                Settle(due!.Value, isDealtWith);
            }
        }

        lock (_lock)
        {
            return UntilThen();
        }
    }

    /// <summary>Clears the moment if it was dealt with, and keeps it if not. A moment that has been set meanwhile stays.</summary>
    private void Settle(DateTimeOffset due, bool isDealtWith)
    {
        lock (_lock)
        {
            _at = isDealtWith ? (_at == due ? null : _at) : _at ?? due;
        }
    }

    // Whole milliseconds, rounded up: it does not fire early.
    private TimeSpan UntilThen()
    {
        if (_at is not { } at)
        {
            return Timeout.InfiniteTimeSpan;
        }

        TimeSpan byClock = at - _clock.GetUtcNow();
        TimeSpan byTime = _span.Wait - _clock.GetElapsedTime(_span.Since);
        double milliseconds = Math.Ceiling((byClock < byTime ? byClock : byTime).TotalMilliseconds);
        return TimeSpan.FromMilliseconds(Math.Clamp(milliseconds, 0, MaxTimer.TotalMilliseconds));
    }
}
