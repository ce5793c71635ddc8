using McpProxyFast.Outcomes;
using McpProxyFast.Transport;

namespace McpProxyFast.Serving;

/// <summary>Does what <see cref="Interrupts"/> has decided for a client connection: cancels its waits, or ends it. At once, or on another thread.</summary>
/// <remarks>
/// The main loop is woken by cancelling every operation that it may be waiting for. A cancellation can arrive late and hit a later wait. So a loop whose wait
/// was cancelled checks the reasons in <see cref="Interrupts"/>, and continues if there is none. A cancelled flush may leave bytes unsent, so a flush is
/// cancelled only if its connection will carry no other exchange.
/// <para>
/// The thread that wakes a loop also runs the loop's code up to its next wait. The watch and the pump belong to the connection, so they wake its loop
/// themselves (<see cref="Do"/>). The heartbeat, the drain and the abort serve all connections, and the woken exchange may run a host program's code, which
/// may block. So they leave the waking to a thread of the <see cref="WakeQueue"/> (<see cref="Later"/>).
/// </para>
/// </remarks>
internal struct DueWork
{
    /// <summary>
    /// What is due and not yet begun, as <see cref="Due"/>. While it is not 0, the <see cref="Interrupts"/> object is once in the <see cref="WakeQueue"/>.
    /// </summary>
    private int _due;

    /// <summary>Leaves what is due to a thread of the <see cref="WakeQueue"/>, since the woken code may block. That thread calls <see cref="DoNow"/>.</summary>
    public void Later(Due due, Interrupts interrupts, WakeQueue wakes)
    {
        if (due is not Due.None && Interlocked.Or(ref _due, (int)due) == 0)
        {
            wakes.Add(interrupts);
        }
    }

    /// <summary>Does what is due, on this thread. A loop that is not waiting now sees the cancellation at its next wait.</summary>
    public static void Do(Due due, Interrupts interrupts, Connection client)
    {
        if (due.HasFlag(Due.ClientAbort))
        {
            client.Abort();
        }

        if (due.HasFlag(Due.SlowPath))
        {
            interrupts.SlowPathWait?.Cancel();
        }

        if (due.HasFlag(Due.ClientRead))
        {
            client.Input.CancelPendingRead();
        }

        if (due.HasFlag(Due.ClientFlush))
        {
            client.Output.CancelPendingFlush();
        }

        if (due.HasFlag(Due.UpstreamFlush))
        {
            interrupts.Upstream?.Transport.Output.CancelPendingFlush();
        }

        if (due.HasFlag(Due.UpstreamRead))
        {
            interrupts.Upstream?.Transport.Input.CancelPendingRead();
        }

        if (due.HasFlag(Due.ClientEnd))
        {
            client.Input.LookForEnd();
        }
    }

    /// <summary>
    /// Does what is due on this thread, one of the <see cref="WakeQueue"/>. If more becomes due after it has begun, it is called again, perhaps while the first
    /// call still runs.
    /// </summary>
    public void DoNow(Interrupts interrupts, Connection client) => Do((Due)Interlocked.Exchange(ref _due, 0), interrupts, client);
}
