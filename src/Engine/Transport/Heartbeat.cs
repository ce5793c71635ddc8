using System.Diagnostics;

namespace McpProxyFast.Transport;

/// <summary>Something that the heartbeat calls regularly.</summary>
internal interface IHeartbeatListener
{
    /// <summary>
    /// Called about ten times a second, on the heartbeat's thread. Must be quick, must not throw, and must not run a host program's code. Work that may run a
    /// host program's code is added to <see cref="Heartbeat.Wakes"/>.
    /// </summary>
    void OnBeat(long nowMilliseconds);
}

/// <summary>
/// The timer for the time limits of all connections and exchanges. At each beat, listeners compare their deadlines, which are plain numbers, with the time of
/// the beat. So a warm request creates no timer.
/// </summary>
/// <remarks>
/// All proxies that use the system clock share one heartbeat (<see cref="Share"/>). It stops when the last of them disposes it. It has a thread of its own,
/// because timers of the system clock run on the thread pool, and a host program's code may block all threads of the pool. With any other clock, a timer of
/// that clock causes the beats.
/// </remarks>
internal sealed class Heartbeat : IDisposable
{
    private static readonly TimeSpan Interval = TimeSpan.FromMilliseconds(100);
    private static readonly Lock Sharing = new();

    /// <summary>The shared heartbeat for the system clock; null while no proxy uses it. Used under the lock.</summary>
    private static Heartbeat? s_ofSystem;

    private readonly TimeProvider _clock;
    private readonly long _started;
    private readonly Lock _changing = new();

    /// <summary>Free indexes of <c>_listeners</c> below <c>_used</c>.</summary>
    private readonly Stack<int> _free = new();

    /// <summary>Causes the beats if the clock is not the system's; otherwise null.</summary>
    private readonly ITimer? _timer;

    /// <summary>Set to end the heartbeat's thread; null if it has none. The thread disposes it.</summary>
    private readonly ManualResetEvent? _stopping;

    /// <summary>The listeners. Changed under the lock, read without it.</summary>
    private IHeartbeatListener?[] _listeners = new IHeartbeatListener?[16];

    /// <summary>The number of indexes of <c>_listeners</c> that were ever used.</summary>
    private int _used;

    /// <summary>1 while a beat is running.</summary>
    private int _beating;

    /// <summary>See <see cref="Now"/>.</summary>
    private long _now;

    /// <summary>How often this heartbeat must still be disposed. Used under the static lock.</summary>
    private int _holders = 1;

    /// <summary>Creates a heartbeat that is not shared.</summary>
    public Heartbeat(TimeProvider clock)
    {
        _clock = clock;
        _started = clock.GetTimestamp();
        if (clock != TimeProvider.System)
        {
            _timer = clock.CreateTimer(static state => ((Heartbeat)state!).Beat(), this, Interval, Interval);
            return;
        }

        _stopping = new ManualResetEvent(initialState: false);
        new Thread(Run) { IsBackground = true, Name = "mcpproxyfast-heartbeat" }.Start();
    }

    /// <summary>Runs work that listeners have found due, on threads of its own.</summary>
    public WakeQueue Wakes { get; } = new();

    /// <summary>Milliseconds from the creation of this heartbeat to its last beat.</summary>
    public long Now => Volatile.Read(ref _now);

    /// <summary>Returns the heartbeat for a clock: the shared one for the system clock, otherwise a new one. Each caller must dispose it once.</summary>
    public static Heartbeat Share(TimeProvider clock)
    {
        if (clock != TimeProvider.System)
        {
            return new Heartbeat(clock);
        }

        lock (Sharing)
        {
            if (s_ofSystem is { } shared)
            {
                shared._holders++;
                return shared;
            }

            return s_ofSystem = new Heartbeat(clock);
        }
    }

    /// <summary>
    /// Returns when a wait that starts now must end, on the scale of <see cref="Now"/>. One beat is added, so that a deadline is never early.
    /// </summary>
    public long After(TimeSpan wait) => Now + (long)wait.TotalMilliseconds + (long)Interval.TotalMilliseconds;

    /// <summary>Adds a listener. The returned number identifies it for <see cref="Remove"/>.</summary>
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

    /// <summary>Removes a listener. A beat that is already running may call it once more.</summary>
    public void Remove(int index)
    {
        lock (_changing)
        {
            Debug.Assert(_listeners[index] is not null, "A listener is removed once.");
            Volatile.Write(ref _listeners[index], null);
            _free.Push(index);
        }
    }

    /// <summary>Must be called once by each holder. The last call stops the beats.</summary>
    public void Dispose()
    {
        lock (Sharing)
        {
            Debug.Assert(_holders > 0, "Each holder disposes of it once.");
            if (--_holders > 0)
            {
                return;
            }

            s_ofSystem = s_ofSystem == this ? null : s_ofSystem;
        }

        _timer?.Dispose();
        _stopping?.Set();
    }

    private void Run()
    {
        while (!_stopping!.WaitOne(Interval))
        {
            Beat();
        }

        _stopping.Dispose();
    }

    private void Beat()
    {
        if (Interlocked.Exchange(ref _beating, 1) != 0)
        {
            return; // the beat before is still running on another thread
        }

        long now = (long)_clock.GetElapsedTime(_started).TotalMilliseconds;
        Volatile.Write(ref _now, now);
        IHeartbeatListener?[] listeners = Volatile.Read(ref _listeners);
        for (int i = 0; i < listeners.Length; i++)
        {
            Volatile.Read(ref listeners[i])?.OnBeat(now);
        }

        Wakes.OnBeat();
        Volatile.Write(ref _beating, 0);
    }
}
