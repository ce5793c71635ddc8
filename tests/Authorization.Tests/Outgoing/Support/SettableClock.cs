using System.Collections.Concurrent;
using McpProxyFast.OAuth.Net;
using Microsoft.Extensions.Time.Testing;

namespace McpProxyFast.Authorization.Tests.Outgoing.Support;

/// <summary>
/// A clock that is moved by hand and knows what is waited for on it. It can show another time than the one that has passed, as a machine's does once it has
/// been set.
/// </summary>
internal sealed class SettableClock() : FakeTimeProvider(DateTimeOffset.UtcNow)
{
    private readonly ConcurrentDictionary<Waiting, bool> _waiting = new();
    private TimeSpan _back;

    /// <summary>Somebody sets the machine's clock back. No time passes, and none is undone.</summary>
    public void SetBack(TimeSpan by) => _back += by;

    /// <summary>Lets time pass, unless a request to a server is under way: its limit is measured by this clock, and a slow machine is no slow server.</summary>
    public void Pass(TimeSpan time)
    {
        if (!_waiting.Keys.Any(waiting => waiting.LimitsARequest))
        {
            Advance(time);
        }
    }

    /// <summary>Lets the pauses of a device flow between two questions pass until a task has ended, and no time but them.</summary>
    public Task PassPausesAsync(Task until) => Patience.NudgeUntilEndedAsync(until, () =>
    {
        if (_waiting.Keys.Any(waiting => waiting.IsAPause))
        {
            Pass(TimeSpan.FromSeconds(1));
        }
    });

    /// <summary>Waits until somebody waits that long on this clock, so that letting the time pass ends the wait.</summary>
    public Task AwaitedAsync(TimeSpan time) => Patience.UntilAsync(() => _waiting.Keys.Any(waiting => waiting.Time == time), $"Nobody waits for {time}.");

    public override DateTimeOffset GetUtcNow() => base.GetUtcNow() - _back;

    public override long GetTimestamp() => base.GetUtcNow().Ticks;

    public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period)
    {
        var waiting = new Waiting(this, state, dueTime);
        waiting.Start(base.CreateTimer(callback, state, dueTime, period));
        return waiting;
    }

    /// <summary>A timer, until it is disposed of.</summary>
    /// <param name="clock">Knows of it.</param>
    /// <param name="state">Of what it is the timer: of a <see cref="Task.Delay(TimeSpan, TimeProvider)"/>, or of a source that it cancels.</param>
    /// <param name="time">When it is due, from its start.</param>
    private sealed class Waiting(SettableClock clock, object? state, TimeSpan time) : ITimer
    {
        private ITimer _timer = null!;

        public TimeSpan Time { get; private set; } = time;

        public bool LimitsARequest => state is CancellationTokenSource && (Time == BoundedHandler.MaxRequestTime || Time == BoundedHandler.MaxPatientTime);

        /// <summary>A pause is seconds; a request to the proxy waits longer.</summary>
        public bool IsAPause => state is Task && Time <= TimeSpan.FromSeconds(30);

        public void Start(ITimer timer)
        {
            _timer = timer;
            clock._waiting[this] = true;
        }

        public bool Change(TimeSpan dueTime, TimeSpan period)
        {
            Time = dueTime;
            return _timer.Change(dueTime, period);
        }

        public void Dispose()
        {
            clock._waiting.TryRemove(this, out _);
            _timer.Dispose();
        }

        public ValueTask DisposeAsync()
        {
            clock._waiting.TryRemove(this, out _);
            return _timer.DisposeAsync();
        }
    }
}
