using System.Diagnostics;
using System.Net;
using System.Net.Sockets;

namespace McpProxyFast.Transport.Network;

/// <summary>Resolves one name for all connections of a proxy. At most one look-up runs at a time; meanwhile the last good answer is used.</summary>
/// <remarks>
/// The system queues look-ups of the same name, and a look-up continues even if nobody waits for it any more. So a second one is never started: later callers
/// wait for the one that is running. What happens depends on the age of the last good answer:
/// <code>
///   0 s ──────────► 5 s ─────────────────────► 30 s ──────────────────────────────────► 1 h ──────►
///   used as it is    used, and looked up         looked up with a short wait; used if     looked up
///                    again in the background     that fails or is slow                    with full wait
/// </code>
/// So after a change of address, every connection made 30 s or more after the last answer uses the new one (<see cref="WaitAfter"/>), unless the look-up is
/// slow. An outage of the name service has no effect for an hour (RFC 8767 §5 describes such timers). "The name does not exist" is an answer too: it is used
/// instead of a good answer that is 30 s old or more.
/// </remarks>
/// <param name="name">The name to resolve. May be an IP address, which needs no look-up.</param>
/// <param name="lookUp">Asks the system.</param>
/// <param name="clock">Measures ages and waits.</param>
internal sealed class Resolver(string name, Func<string, CancellationToken, Task<IPAddress[]>> lookUp, TimeProvider clock)
{
    /// <summary>From this age on, an answer is refreshed in the background while it is still used.</summary>
    public static readonly TimeSpan RefreshAfter = TimeSpan.FromSeconds(5);

    /// <summary>From this age on, a caller waits for a new answer, at most for <see cref="SoftWait"/>, so that a changed address is noticed.</summary>
    public static readonly TimeSpan WaitAfter = TimeSpan.FromSeconds(30);

    /// <summary>How long a caller waits for a look-up if it can use an older answer instead. Counted from the start of the look-up.</summary>
    public static readonly TimeSpan SoftWait = TimeSpan.FromMilliseconds(500);

    /// <summary>From this age on, an answer is no longer used, even if look-ups fail.</summary>
    public static readonly TimeSpan Longest = TimeSpan.FromHours(1);

    /// <summary>How many addresses of an answer are used at most.</summary>
    public const int MaxAddresses = 16;

    /// <summary>The answer if the name is an IP address; null for any other name.</summary>
    private readonly NameAnswer? _literal = IPAddress.TryParse(name, out IPAddress? address) ? new NameAnswer([address], 0, null) : null;

    /// <summary>The last good answer; null until there is one. Replaced as a whole.</summary>
    private NameAnswer? _known;

    /// <summary>The running look-up; null if none runs. Set by compare-exchange, so there is at most one.</summary>
    private LookUpUnderWay? _underWay;

    /// <summary>The address of the last successful connection; null until there is one.</summary>
    private volatile IPAddress? _worked;

    /// <summary>Returns the addresses, the one of the last successful connection first.</summary>
    /// <returns>The answer; it has no addresses if the look-up found none or failed.</returns>
    /// <exception cref="OperationCanceledException">Cancelled. The look-up continues, and the next caller can use its answer.</exception>
    public async ValueTask<NameAnswer> ResolveAsync(CancellationToken cancel)
    {
        if (_literal is not null)
        {
            return _literal;
        }

        NameAnswer? known = Volatile.Read(ref _known);
        TimeSpan age = known is null ? TimeSpan.MaxValue : clock.GetElapsedTime(known.At);
        if (age < RefreshAfter)
        {
            return InOrder(known!, isFromBefore: true);
        }

        LookUpUnderWay asked = Ask();
        if (age >= Longest)
        {
            return InOrder(await asked.Ended.WaitAsync(cancel).ConfigureAwait(false), isFromBefore: false);
        }

        NameAnswer? fresh = age < WaitAfter ? null : await WaitSoftlyAsync(asked, cancel).ConfigureAwait(false);
        bool counts = fresh is { IsGood: true } || SaysThatThereIsNone(fresh);
        return counts ? InOrder(fresh!, isFromBefore: false) : InOrder(known!, isFromBefore: true);
    }

    /// <summary>
    /// Looks the name up again, because none of its addresses could be connected to and they may have changed. Waits at most for <see cref="SoftWait"/>.
    /// </summary>
    /// <param name="cancel">Ends the wait; then null is returned.</param>
    /// <returns>The new answer; null if it has no addresses or does not come in time.</returns>
    public async Task<NameAnswer?> ResolveAnewAsync(CancellationToken cancel)
    {
        Debug.Assert(_literal is null, "An address stays what it is.");
        NameAnswer? fresh = await WaitSoftlyAsync(Ask(), cancel).ConfigureAwait(false);
        return fresh is { IsGood: true } ? fresh : null;
    }

    /// <summary>Remembers the address of a successful connection.</summary>
    public void Worked(IPAddress address) => _worked = address;

    private static bool SaysThatThereIsNone(NameAnswer? answer) =>
        answer is { IsGood: false, Fault: null or SocketException { SocketErrorCode: SocketError.HostNotFound or SocketError.NoData } };

    /// <summary>Starts a look-up, or joins the running one.</summary>
    private LookUpUnderWay Ask()
    {
        var started = new LookUpUnderWay(clock.GetTimestamp());
        if (Interlocked.CompareExchange(ref _underWay, started, null) is { } other)
        {
            return other;
        }

        _ = RunAsync(started);
        return started;
    }

    /// <summary>Runs the look-up to its end, even if nobody waits: it cannot be cancelled.</summary>
    private async Task RunAsync(LookUpUnderWay started)
    {
        NameAnswer answer;
        try
        {
            IPAddress[] found = await lookUp(name, CancellationToken.None).ConfigureAwait(false);
            answer = new NameAnswer(Alternating(found), clock.GetTimestamp(), null);
        }
        catch (Exception fault)
        {
            answer = new NameAnswer([], clock.GetTimestamp(), fault); // unknown name, or no name service: the next connection asks again
        }

        if (answer.IsGood)
        {
            Volatile.Write(ref _known, answer);
        }

        Debug.Assert(_underWay == started, "One look-up at a time.");
        Volatile.Write(ref _underWay, null); // cleared before waiting callers get the answer: if one of them asks again, it must start a new look-up
        started.End(answer);
    }

    /// <summary>Waits for a look-up, at most until <see cref="SoftWait"/> after its start.</summary>
    /// <returns>The answer; null if the look-up takes longer, or the wait was cancelled.</returns>
    private async Task<NameAnswer?> WaitSoftlyAsync(LookUpUnderWay asked, CancellationToken cancel)
    {
        TimeSpan left = SoftWait - clock.GetElapsedTime(asked.StartedAt);
        if (left > TimeSpan.Zero)
        {
            await ((Task)asked.Ended).WaitAsync(left, clock, cancel).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }

        return asked.Ended.IsCompleted ? await asked.Ended.ConfigureAwait(false) : null;
    }

    /// <summary>Returns the same answer with the address of the last successful connection moved to the front.</summary>
    private NameAnswer InOrder(NameAnswer answer, bool isFromBefore)
    {
        IPAddress[] addresses = answer.Addresses;
        int at = _worked is { } worked ? Array.IndexOf(addresses, worked) : -1;
        if (at > 0)
        {
            addresses = (IPAddress[])addresses.Clone();
            Array.Copy(answer.Addresses, 0, addresses, 1, at);
            addresses[0] = answer.Addresses[at];
        }

        return answer with { Addresses = addresses, IsFromBefore = isFromBefore };
    }

    /// <summary>
    /// Alternates IPv4 and IPv6, each in the system's order (RFC 8305 §4). So if one of them does not work, the second address is already of the other kind.
    /// </summary>
    private static IPAddress[] Alternating(IPAddress[] found)
    {
        if (found.Length <= 1)
        {
            return found;
        }

        AddressFamily first = found[0].AddressFamily;
        IPAddress[] ones = Array.FindAll(found, address => address.AddressFamily == first);
        IPAddress[] others = Array.FindAll(found, address => address.AddressFamily != first);
        var mixed = new List<IPAddress>(found.Length);
        for (int i = 0; i < Math.Max(ones.Length, others.Length); i++)
        {
            if (i < ones.Length)
            {
                mixed.Add(ones[i]);
            }

            if (i < others.Length)
            {
                mixed.Add(others[i]);
            }
        }

        return [.. mixed.GetRange(0, Math.Min(mixed.Count, MaxAddresses))];
    }

    /// <summary>One look-up, and the task that its callers wait for.</summary>
    private sealed class LookUpUnderWay(long startedAt)
    {
        /// <summary>Completed once, with the look-up's answer.</summary>
        private readonly TaskCompletionSource<NameAnswer> _ended = new(TaskCreationOptions.RunContinuationsAsynchronously);

        /// <summary>When the look-up started, as a timestamp of the clock.</summary>
        public long StartedAt { get; } = startedAt;

        /// <summary>Completes with the answer. Never faults.</summary>
        public Task<NameAnswer> Ended => _ended.Task;

        public void End(NameAnswer answer) => _ended.SetResult(answer);
    }
}
