using System.Diagnostics;
using System.Diagnostics.CodeAnalysis;

namespace McpProxyFast.Transport;

/// <summary>Runs what a beat, a drain or an abort has found due, on threads of its own.</summary>
/// <remarks>
/// What wakes a wait also runs the code that waited: the rest of an exchange, and with it a host's observer, logger or pipe. Such code may block. So the
/// heartbeat never runs it: its clock would stand still, and with it the deadlines of the process. Nor does the thread pool: a host may have blocked all of its
/// threads. Usually there is one thread or none. If one blocks, so that nothing was taken between two beats, another one is started.
/// </remarks>
internal sealed class WakeQueue
{
    /// <summary>As many threads may be blocked by a host's code. What is due after that waits for one of them.</summary>
    public const int MaxThreads = 32;

    /// <summary>How long a thread waits for something to do before it ends.</summary>
    private static readonly TimeSpan IdleTime = TimeSpan.FromSeconds(1);

    private readonly object _changing = new();

    /// <summary>What is due, in order. Whoever adds itself does so once until it is run, so connections bound the length. Used under the lock.</summary>
    private readonly Queue<IThreadPoolWorkItem> _due = new();

    /// <summary>The number of threads. Used under the lock.</summary>
    private int _threads;

    /// <summary>The number of threads that wait for something to do. Used under the lock.</summary>
    private int _idle;

    /// <summary>Something was taken since the last beat. Used under the lock.</summary>
    private bool _hasTaken;

    /// <summary>The number of threads now. For tests.</summary>
    public int Threads
    {
        get
        {
            lock (_changing)
            {
                return _threads;
            }
        }
    }

    /// <summary>Whether nothing is due and nothing runs. For tests.</summary>
    public bool IsIdle
    {
        get
        {
            lock (_changing)
            {
                return _due.Count == 0 && _idle == _threads;
            }
        }
    }

    /// <summary>Adds what is due. It must not throw. From any thread.</summary>
    public void Add(IThreadPoolWorkItem item)
    {
        lock (_changing)
        {
            _due.Enqueue(item);
            if (_idle > 0)
            {
                Monitor.Pulse(_changing);
            }
            else if (_threads == 0)
            {
                TryStart();
            }
        }
    }

    /// <summary>Starts another thread if the others have taken nothing since the last beat, although something is due.</summary>
    public void OnBeat()
    {
        lock (_changing)
        {
            if (_due.Count > 0 && !_hasTaken && _threads < MaxThreads)
            {
                TryStart();
            }

            _hasTaken = false;
        }
    }

    /// <summary>If the system has no room for another thread, the next beat tries again.</summary>
    private void TryStart()
    {
        Debug.Assert(Monitor.IsEntered(_changing), "Threads are counted under the lock.");
        try
        {
            new Thread(Run) { IsBackground = true, Name = "mcpproxyfast-wake" }.Start();
            _threads++;
        }
        catch (OutOfMemoryException)
        {
            // What the runtime throws if the system refuses a thread.
        }
    }

    private void Run()
    {
        while (TryTake(out IThreadPoolWorkItem? item))
        {
            item.Execute();
        }
    }

    /// <summary>Takes what is due first. Returns false if nothing has been due for a while; the thread then ends.</summary>
    private bool TryTake([NotNullWhen(true)] out IThreadPoolWorkItem? item)
    {
        lock (_changing)
        {
            while (!_due.TryDequeue(out item))
            {
                _idle++;
                bool isPulsed = Monitor.Wait(_changing, IdleTime);
                _idle--;
                if (!isPulsed && _due.Count == 0)
                {
                    _threads--;
                    return false;
                }
            }

            _hasTaken = true;
            return true;
        }
    }
}
