using System.Diagnostics;
using System.IO.Pipelines;

namespace McpProxyFast.Bridge;

/// <summary>Chooses the thread that takes what the proxy sends over a connection in memory.</summary>
/// <remarks>
/// To wake a thread costs more than to read a message. So a few bytes are taken by the thread that sends them, which is mostly an event loop. Many are taken
/// by a thread of the pool, since they would hold up an event loop. So is the end of the connection.
/// <para>
/// A thread that sends a request takes nothing until that call has returned: it may hold a lock, or be in the middle of a change. Nor does a thread take
/// something while it takes something else, so the depth of its stack has a bound.
/// </para>
/// <para>
/// A large message may come in many small parts. To take each at once costs memory, since each read allocates and fewer reads would do. So who finds that a
/// message is large says so (<see cref="LeaveRest"/>), and what follows is taken by the pool, where more has come by the time that it is read.
/// </para>
/// </remarks>
/// <param name="mostInline">Most bytes that the thread that sends them takes; 0 if it takes none.</param>
internal sealed class AnswerScheduler(int mostInline) : PipeScheduler
{
    /// <summary>What is a few bytes: as many as are read at once.</summary>
    public const int MaxInlineBytes = 16 * 1024;

    /// <summary>How many bytes the pool takes once a message has been found to be large. After them, it may be found again.</summary>
    public const int RestBytes = 1024 * 1024;

    /// <summary>This thread sends a request over a connection in memory, or takes what another one has brought.</summary>
    [ThreadStatic]
    private static bool t_isBusy;

    /// <summary>The scheduler of the connection whose bytes this thread takes; null if it takes none.</summary>
    [ThreadStatic]
    private static AnswerScheduler? t_taken;

    /// <summary>The id of the thread that is flushing a few bytes and may run their reader itself; 0 if none. Set by that thread, compared by any.</summary>
    private int _taker;

    /// <summary>How many of the next bytes are left to the pool. Used within a flush only, by the thread that flushes.</summary>
    private long _rest;

    /// <summary>Called before a request is sent, or its end. The caller must pass the result to <see cref="EndSending"/>, on the same thread.</summary>
    public static bool BeginSending()
    {
        bool wasBusy = t_isBusy;
        t_isBusy = true;
        return wasBusy;
    }

    /// <summary>Called when the call that sends it returns.</summary>
    public static void EndSending(bool wasBusy)
    {
        Debug.Assert(t_isBusy, "It ends on the thread on which it has begun.");
        t_isBusy = wasBusy;
    }

    /// <summary>What this thread takes is part of something large: the pool takes what follows. Does nothing if this thread takes nothing.</summary>
    public static void LeaveRest()
    {
        if (t_taken is { } taken)
        {
            taken._rest = RestBytes;
        }
    }

    /// <summary>Flushes what the proxy has written, and takes it if it is little.</summary>
    /// <param name="answers">The writer of the pipe that this scheduler was given to.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    public ValueTask<FlushResult> FlushAsync(PipeWriter answers, CancellationToken cancellationToken)
    {
        Debug.Assert(_taker == 0, "One flush at a time.");
        long bytes = answers.UnflushedBytes;
        if (t_isBusy || bytes > mostInline || _rest > 0)
        {
            _rest = Math.Max(_rest - bytes, 0);
            return answers.FlushAsync(cancellationToken);
        }

        _taker = Environment.CurrentManagedThreadId;
        try
        {
            return answers.FlushAsync(cancellationToken); // calls Schedule if somebody waits for the bytes
        }
        finally
        {
            _taker = 0;
        }
    }

    /// <remarks>Also called when a read is cancelled, on any thread, and at the end. The pipe holds no lock then.</remarks>
    public override void Schedule(Action<object?> action, object? state)
    {
        if (_taker != Environment.CurrentManagedThreadId)
        {
            ThreadPool.Schedule(action, state);
            return;
        }

        Debug.Assert(!t_isBusy, "Only a thread that is not busy becomes the taker.");
        _taker = 0; // a read that is cancelled within the action is not for this thread
        (t_isBusy, t_taken) = (true, this);
        try
        {
            action(state);
        }
        finally
        {
            (t_isBusy, t_taken) = (false, null);
        }
    }
}
