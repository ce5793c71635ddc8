namespace McpProxyFast.Credentials;

/// <summary>Says once that a moment has come, however far ahead it lies and however long the machine sleeps meanwhile.</summary>
internal sealed class RenewalTimer : IAsyncDisposable
{
    // A timer stands still while the machine sleeps, and takes no more than 49 days: the clock is looked at in between.
    private static readonly TimeSpan MaxTimer = TimeSpan.FromHours(1);

    private readonly TimeProvider _clock;
    private readonly ITimer _timer;

    // Held while the timer is set for a moment, so that both always agree.
    private readonly Lock _lock = new();
    private DateTimeOffset? _at;

    public RenewalTimer(TimeProvider clock, Action onDue)
    {
        _clock = clock;
        _timer = clock.CreateTimer(
            _ =>
            {
                if (IsDue())
                {
                    onDue();
                }
            },
            state: null,
            Timeout.InfiniteTimeSpan,
            Timeout.InfiniteTimeSpan);
    }

    /// <param name="at">The moment, or null for none; it replaces the one before.</param>
    public void Set(DateTimeOffset? at)
    {
        lock (_lock)
        {
            _at = at;
            Start();
        }
    }

    /// <summary>Whether the moment has come and is still the one that was set last.</summary>
    public bool IsDue()
    {
        lock (_lock)
        {
            if (_at <= _clock.GetUtcNow())
            {
                return true;
            }

            Start();
            return false;
        }
    }

    public ValueTask DisposeAsync() => _timer.DisposeAsync();

    // Whole milliseconds, rounded up: it does not fire early.
    private void Start()
    {
        TimeSpan delay = _at is { } at
            ? TimeSpan.FromMilliseconds(Math.Clamp(Math.Ceiling((at - _clock.GetUtcNow()).TotalMilliseconds), 0, MaxTimer.TotalMilliseconds))
            : Timeout.InfiniteTimeSpan;
        _timer.Change(delay, Timeout.InfiniteTimeSpan);
    }
}
