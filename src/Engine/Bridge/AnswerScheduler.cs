using System.Diagnostics;
using System.IO.Pipelines;

namespace McpProxyFast.Bridge;

/// <summary>Chooses the thread that reads what the proxy sends over an in-memory connection.</summary>
/// <remarks>
/// Waking a thread costs more than reading a message. So the thread that sends a few bytes, usually an event loop, runs their reader itself (it "takes" them).
/// Larger amounts would delay an event loop, so a thread of the pool takes them. The end of the connection is left to the pool too.
/// <para>
/// A thread that sends a request takes nothing until that call has returned: it may hold a lock, or be in the middle of a change. Nor does a thread take
/// something while it takes something else, so the depth of its stack has a bound.
/// </para>
/// <para>
/// A large message may come in many small parts. To take each at once costs memory, since each read allocates and fewer reads would do. So the code that
/// finds a large message calls <see cref="LeaveRest"/>. The pool then takes what follows; by the time that it reads, more bytes have arrived.
/// </para>
/// </remarks>
/// <param name="mostInline">The maximum number of bytes that the sending thread takes itself; 0 if it takes none.</param>
internal sealed class AnswerScheduler(int mostInline) : PipeScheduler
{
    /// <summary>The number of bytes that counts as "a few": as many as one read returns.</summary>
    public const int MaxInlineBytes = 16 * 1024;

    /// <summary>How many bytes are left to the pool after <see cref="LeaveRest"/>. If the message goes on after them, that is called again.</summary>
    public const int RestBytes = 1024 * 1024;

    /// <summary>Whether this thread is sending a request over an in-memory connection, or is taking bytes from one.</summary>
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

    /// <summary>Called when the call that sends the request returns.</summary>
    public static void EndSending(bool wasBusy)
    {
        Debug.Assert(t_isBusy, "It ends on the thread on which it has begun.");
        t_isBusy = wasBusy;
    }

    /// <summary>
    /// Leaves what follows to the pool, since the bytes that this thread takes are part of a large message. Does nothing if this thread takes none.
    /// </summary>
    public static void LeaveRest()
    {
        if (t_taken is { } taken)
        {
            taken._rest = RestBytes;
        }
    }

    /// <summary>Flushes what the proxy has written. If it is a few bytes, this thread takes them.</summary>
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
            return answers.FlushAsync(cancellationToken); // calls Schedule if a read is waiting for the bytes
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
