using System.Diagnostics;
using System.Diagnostics.CodeAnalysis;

namespace McpProxyFast.Transport;

/// <summary>Runs the work that a beat, a drain or an abort has to do on a connection (cancel its waits, close it), on threads of its own.</summary>
/// <remarks>
/// The thread that cancels a wait also runs the code that waited: the rest of an exchange, and with it a host program's observer, logger or pipe. Such code may
/// block. So the heartbeat never runs it: if it were blocked, no deadline in the process would expire. The thread pool does not run it either: a host program
/// may have blocked all of its threads. Usually the queue has one thread or none. If its threads have taken no work between two beats although work is queued,
/// it starts another.
/// </remarks>
internal sealed class WakeQueue
{
    /// <summary>The most threads. If a host program's code blocks all of them, further work waits until one continues.</summary>
    public const int MaxThreads = 32;

    /// <summary>How long a thread waits for work before it ends.</summary>
    private static readonly TimeSpan IdleTime = TimeSpan.FromSeconds(1);

    private readonly object _changing = new();

    /// <summary>
    /// The work to do, in order. An object adds itself only while it is not in the queue, so the number of connections bounds the length. Used under the lock.
    /// </summary>
    private readonly Queue<IThreadPoolWorkItem> _due = new();

    /// <summary>The number of threads. Used under the lock.</summary>
    private int _threads;

    /// <summary>The number of threads that wait for work. Used under the lock.</summary>
    private int _idle;

    /// <summary>A thread has taken work since the last beat. Used under the lock.</summary>
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

    /// <summary>Whether no work is queued or running. For tests.</summary>
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

    /// <summary>Adds work. Its <see cref="IThreadPoolWorkItem.Execute"/> must not throw. Can be called from any thread.</summary>
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

    /// <summary>Starts another thread if work is queued and no thread has taken any since the last beat.</summary>
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

    /// <summary>Starts a thread. If the system refuses it, the next beat tries again.</summary>
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
            // The runtime throws this if the system refuses a thread.
        }
    }

    private void Run()
    {
        while (TryTake(out IThreadPoolWorkItem? item))
        {
            item.Execute();
        }
    }

    /// <summary>Takes the first work of the queue. Returns false if there was none for <see cref="IdleTime"/>; the thread then ends.</summary>
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
