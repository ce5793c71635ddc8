namespace McpProxyFast.Transport;

/// <summary>Looked at by the heartbeat.</summary>
internal interface IHeartbeatListener
{
    /// <summary>Called about ten times a second, on the timer's thread; must be quick and must not block.</summary>
    void OnBeat(long nowMilliseconds);
}

/// <summary>The one timer of a proxy. Deadlines are numbers that it compares; no request has a timer, and no request reads a clock.</summary>
internal sealed class Heartbeat : IDisposable
{
    private static readonly TimeSpan Interval = TimeSpan.FromMilliseconds(100);

    private readonly TimeProvider _clock;
    private readonly long _started;
    private readonly Lock _changing = new();
    private readonly Stack<int> _free = new();
    private readonly ITimer _timer;
    private IHeartbeatListener?[] _listeners = new IHeartbeatListener?[64];
    private int _used;
    private int _beating;
    private long _now;

    public Heartbeat(TimeProvider clock)
    {
        _clock = clock;
        _started = clock.GetTimestamp();
        _timer = clock.CreateTimer(static state => ((Heartbeat)state!).Beat(), this, Interval, Interval);
    }

    /// <summary>Milliseconds since the proxy was made, as of the last beat.</summary>
    public long Now => Volatile.Read(ref _now);

    /// <summary>When a wait that starts now is over. Rounded up by one beat, so that a deadline is never early.</summary>
    public long After(TimeSpan wait) => Now + (long)wait.TotalMilliseconds + (long)Interval.TotalMilliseconds;

    /// <summary>Adds a listener; the number is for <see cref="Remove"/>.</summary>
    public int Add(IHeartbeatListener listener)
    {
        lock (_changing)
        {
            int index = _free.TryPop(out int free) ? free : _used++;
            if (index == _listeners.Length)
            {
                Array.Resize(ref _listeners, _listeners.Length * 2);
            }

            Volatile.Write(ref _listeners[index], listener);
            return index;
        }
    }

    public void Remove(int index)
    {
        lock (_changing)
        {
            Volatile.Write(ref _listeners[index], null);
            _free.Push(index);
        }
    }

    public void Dispose() => _timer.Dispose();

    private void Beat()
    {
        if (Interlocked.Exchange(ref _beating, 1) != 0)
        {
            return; // the last beat is still under way
        }

        long now = (long)_clock.GetElapsedTime(_started).TotalMilliseconds;
        Volatile.Write(ref _now, now);
        IHeartbeatListener?[] listeners = Volatile.Read(ref _listeners);
        for (int i = 0; i < listeners.Length; i++)
        {
            Volatile.Read(ref listeners[i])?.OnBeat(now);
        }

        Volatile.Write(ref _beating, 0);
    }
}
