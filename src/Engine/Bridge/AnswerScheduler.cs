using System.Diagnostics;
using System.IO.Pipelines;

namespace McpProxyFast.Bridge;

/// <summary>Chooses the thread that reads what the proxy sends over an in-memory connection.</summary>
/// <remarks>
/// Waking a thread costs more than reading a message. So the thread that sends a few bytes, usually an event loop, also runs the code that reads them (the
/// thread "takes" them). Larger amounts would delay an event loop, so a thread of the pool takes them. The end of the connection is left to the pool too.
/// <para>
/// A thread that sends a request takes no bytes until the sending call has returned: the thread may hold a lock, or be in the middle of a change. A thread that
/// is taking bytes takes no others, so the depth of its stack has a bound.
/// </para>
/// <para>
/// A large message may come in many small parts. To take each at once would need many reads, and each read allocates. So the code that finds a large message
/// calls <see cref="LeaveRest"/>. Then the pool takes the next parts. A thread of the pool starts later, when more bytes have arrived, so it needs fewer reads.
/// </para>
/// </remarks>
/// <param name="mostInline">The maximum number of bytes that the sending thread takes itself; 0 if the pool takes all.</param>
internal sealed class AnswerScheduler(int mostInline) : PipeScheduler
{
    /// <summary>The number of bytes that counts as "a few": as many as one read returns.</summary>
    public const int MaxInlineBytes = 16 * 1024;

    /// <summary>How many bytes one call of <see cref="LeaveRest"/> leaves to the pool. If the message is longer, its reader calls the method again.</summary>
    public const int RestBytes = 1024 * 1024;

    /// <summary>Whether this thread is sending a request over an in-memory connection, or is taking bytes from one.</summary>
    [ThreadStatic]
    private static bool t_isBusy;

    /// <summary>The scheduler of the connection whose bytes this thread takes; null if it takes none.</summary>
    [ThreadStatic]
    private static AnswerScheduler? t_taken;

    /// <summary>The id of the thread that is flushing a few bytes and may run their reader itself; 0 if none. Only that thread sets it.</summary>
    private int _taker;

    /// <summary>How many of the next bytes are left to the pool. Used within a flush only, by the thread that flushes.</summary>
    private long _rest;

    /// <summary>
    /// Called before a part of a request, or the end of the connection, is sent. From then on this thread takes no bytes. The caller must pass the result to
    /// <see cref="EndSending"/>, on the same thread.
    /// </summary>
    public static bool BeginSending()
    {
        bool wasBusy = t_isBusy;
        t_isBusy = true;
        return wasBusy;
    }

    /// <summary>Called when the sending call has returned. Then this thread may take bytes again, unless it was busy before.</summary>
    public static void EndSending(bool wasBusy)
    {
        Debug.Assert(t_isBusy, "It ends on the thread on which it has begun.");
        t_isBusy = wasBusy;
    }

    /// <summary>
    /// Called by code that has found a large message. If this thread is taking a part of the message, the pool takes the next parts. Otherwise nothing happens.
    /// </summary>
    public static void LeaveRest()
    {
        if (t_taken is { } taken)
        {
            taken._rest = RestBytes;
        }
    }

    /// <summary>Flushes what the proxy has written. If this is a few bytes, and this thread is not busy, this thread takes them.</summary>
    /// <param name="answers">The writer of the pipe whose reader this scheduler runs.</param>
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

    /// <remarks>The pipe calls this during a flush, when a read is cancelled (on any thread), and at its end. It holds no lock then.</remarks>
    public override void Schedule(Action<object?> action, object? state)
    {
        if (_taker != Environment.CurrentManagedThreadId)
        {
            ThreadPool.Schedule(action, state);
            return;
        }

        Debug.Assert(!t_isBusy, "Only a thread that is not busy becomes the taker.");
        _taker = 0; // reads that are cancelled within the action are left to the pool
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
