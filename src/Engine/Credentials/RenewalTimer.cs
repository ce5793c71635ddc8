using McpProxyFast.Outcomes;
using Microsoft.Extensions.Logging;

namespace McpProxyFast.Credentials;

/// <summary>Says once that a moment has come, however far ahead it lies and however long the machine sleeps meanwhile.</summary>
internal sealed class RenewalTimer : IAsyncDisposable
{
    // A timer stands still while the machine sleeps, and takes no more than 49 days: the clock is looked at in between.
    private static readonly TimeSpan MaxTimer = TimeSpan.FromHours(1);

    /// <summary>What moments are compared with. Set for life.</summary>
    private readonly TimeProvider _clock;

    /// <summary>What is done when the moment has come. Set for life.</summary>
    private readonly Func<Task> _onDue;

    /// <summary>Waits for the moment, and goes on whatever becomes of the work. Valid until disposed of.</summary>
    private readonly Supervised _waiting;

    /// <summary>Held while the wait is set for a moment, so that both always agree.</summary>
    private readonly Lock _lock = new();

    /// <summary>The moment that was set last and has not been dealt with; null for none.</summary>
    private DateTimeOffset? _at;

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
            _waiting.Schedule(UntilThen());
        }
    }

    /// <summary>Whether the moment has come and is still the one that was set last.</summary>
    public bool IsDue()
    {
        lock (_lock)
        {
            return _at <= _clock.GetUtcNow();
        }
    }

    public ValueTask DisposeAsync() => _waiting.DisposeAsync();

    private async Task<TimeSpan> TakeTurnAsync(CancellationToken stopping)
    {
        DateTimeOffset? due;
        lock (_lock)
        {
            due = _at;
        }

        if (due <= _clock.GetUtcNow())
        {
            bool isDealtWith = false;
            try
            {
                await _onDue().WaitAsync(stopping).ConfigureAwait(false);
                isDealtWith = true;
            }
            finally
            {
                Settle(due.Value, isDealtWith);
            }
        }

        lock (_lock)
        {
            return UntilThen();
        }
    }

    /// <summary>A moment that was dealt with is over, one that was not stays; another that has been set meanwhile holds.</summary>
    private void Settle(DateTimeOffset due, bool isDealtWith)
    {
        lock (_lock)
        {
            _at = isDealtWith ? (_at == due ? null : _at) : _at ?? due;
        }
    }

    // Whole milliseconds, rounded up: it does not fire early.
    private TimeSpan UntilThen() => _at is { } at
        ? TimeSpan.FromMilliseconds(Math.Clamp(Math.Ceiling((at - _clock.GetUtcNow()).TotalMilliseconds), 0, MaxTimer.TotalMilliseconds))
        : Timeout.InfiniteTimeSpan;
}
