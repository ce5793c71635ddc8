using McpProxyFast.Outcomes;
using Microsoft.Extensions.Logging;

namespace McpProxyFast.Credentials;

/// <summary>A timer that calls a method at a given time, however far in the future it is, and even if the machine sleeps meanwhile.</summary>
/// <remarks>
/// It fires when the system clock has reached the time, or when the wait that was computed when it was set has passed, whichever is earlier. Each alone could
/// be late: the system clock can be set back, and monotonic timestamps do not advance while the machine sleeps.
/// </remarks>
internal sealed class RenewalTimer : IAsyncDisposable
{
    // The clock is checked at least this often: a system timer does not advance while the machine sleeps, and cannot be set for more than 49 days.
    private static readonly TimeSpan MaxTimer = TimeSpan.FromHours(1);

    /// <summary>The clock. Never changes.</summary>
    private readonly TimeProvider _clock;

    /// <summary>The method that is called when the time has come. Never changes.</summary>
    private readonly Func<Task> _onDue;

    /// <summary>Waits for the time and calls the method. If the method throws, it is called again after a pause. Valid until disposed of.</summary>
    private readonly Supervised _waiting;

    /// <summary>A lock that is held while the fields below are changed, so that they always agree.</summary>
    private readonly Lock _lock = new();

    /// <summary>The time that was set last; null if none is set, or <c>_onDue</c> has been called at that time and has succeeded.</summary>
    private DateTimeOffset? _at;

    /// <summary>The wait that was computed when <c>_at</c> was set, and the timestamp of that moment. Valid while <c>_at</c> is set.</summary>
    private (TimeSpan Wait, long Since) _span;

    public RenewalTimer(TimeProvider clock, Func<Task> onDue, ILogger logger)
    {
        (_clock, _onDue) = (clock, onDue);
        _waiting = new Supervised("renewal of the credential", TakeTurnAsync, clock, logger);
    }

    /// <param name="at">The time; null for none. It replaces the time that was set before.</param>
    public void Set(DateTimeOffset? at)
    {
        lock (_lock)
        {
            _at = at;
            _span = (at is { } moment ? moment - _clock.GetUtcNow() : default, _clock.GetTimestamp());
            _waiting.Schedule(UntilThen());
        }
    }

    /// <summary>Whether the time that is set now has come.</summary>
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

    /// <summary>
    /// Clears the time if the method has succeeded, and sets it again if the method has failed. If another time has been set meanwhile, that one stays.
    /// </summary>
    private void Settle(DateTimeOffset due, bool isDealtWith)
    {
        lock (_lock)
        {
            _at = isDealtWith ? (_at == due ? null : _at) : _at ?? due;
        }
    }

    // The wait is rounded up to whole milliseconds, so that the timer does not fire early.
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
