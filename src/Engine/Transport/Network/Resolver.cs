using System.Diagnostics;
using System.Net;
using System.Net.Sockets;

namespace McpProxyFast.Transport.Network;

/// <summary>The addresses of one name, for all connections of a proxy: one look-up at a time for all who wait, and the last good answer meanwhile.</summary>
/// <remarks>
/// The system queues the look-ups of one name, and one that nobody waits for any more goes on all the same. So there is never a second one: who needs an answer
/// joins the one that is out. By the age of the last good answer:
/// <code>
///   0 s ──────────► 5 s ─────────────────────► 30 s ──────────────────────────────────► 1 h ──────►
///   used as it is    used, and asked anew       asked anew and waited for a little;      waited for
///                    in the background          used where that fails or is slow
/// </code>
/// So a changed address is taken by every connection made 30 s after the last one that asked (<see cref="WaitAfter"/>), and an outage of the name service is
/// not noticed for an hour (RFC 8767 §5 has such timers). That a name is said not to exist is an answer: it counts from 30 s on.
/// </remarks>
/// <param name="name">The name, or an address, which is its own answer.</param>
/// <param name="lookUp">Asks the system.</param>
/// <param name="clock">Measures ages and waits.</param>
internal sealed class Resolver(string name, Func<string, CancellationToken, Task<IPAddress[]>> lookUp, TimeProvider clock)
{
    /// <summary>An answer of this age is asked for anew while it is still used.</summary>
    public static readonly TimeSpan RefreshAfter = TimeSpan.FromSeconds(5);

    /// <summary>From this age on a new answer is waited for: within it a changed address is taken.</summary>
    public static readonly TimeSpan WaitAfter = TimeSpan.FromSeconds(30);

    /// <summary>How long after its start a look-up is waited for where there is an answer to go on with.</summary>
    public static readonly TimeSpan SoftWait = TimeSpan.FromMilliseconds(500);

    /// <summary>From this age on an answer is not used any more, whatever becomes of look-ups.</summary>
    public static readonly TimeSpan Longest = TimeSpan.FromHours(1);

    /// <summary>Most addresses of an answer that are looked at.</summary>
    public const int MostAddresses = 16;

    /// <summary>The answer of a name that is an address; null for any other name.</summary>
    private readonly NameAnswer? _literal = IPAddress.TryParse(name, out IPAddress? address) ? new NameAnswer([address], 0, null) : null;

    /// <summary>The last good answer; null until there is one. Replaced as a whole.</summary>
    private NameAnswer? _known;

    /// <summary>The look-up that is out; null for none. Set and cleared by exchange, so there is one at most.</summary>
    private LookUpUnderWay? _underWay;

    /// <summary>The address that the last connection was made to; null until there is one.</summary>
    private volatile IPAddress? _worked;

    /// <summary>Finds the addresses, the one that worked last first.</summary>
    /// <returns>An answer without addresses where there is none to be had.</returns>
    /// <exception cref="OperationCanceledException">Cancelled. The look-up goes on, for whoever needs it next.</exception>
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

    /// <summary>Asks anew, as none of an answer's addresses could be connected to: the name may have others by now. Waits a little.</summary>
    /// <param name="cancel">Ends the wait, and says that there is none.</param>
    /// <returns>Another answer; null where there is none, or not soon.</returns>
    public async Task<NameAnswer?> ResolveAnewAsync(CancellationToken cancel)
    {
        Debug.Assert(_literal is null, "An address stays what it is.");
        NameAnswer? fresh = await WaitSoftlyAsync(Ask(), cancel).ConfigureAwait(false);
        return fresh is { IsGood: true } ? fresh : null;
    }

    /// <summary>Remembers the address that a connection was made to.</summary>
    public void Worked(IPAddress address) => _worked = address;

    private static bool SaysThatThereIsNone(NameAnswer? answer) =>
        answer is { IsGood: false, Fault: null or SocketException { SocketErrorCode: SocketError.HostNotFound or SocketError.NoData } };

    /// <summary>Starts a look-up, or joins the one that is out.</summary>
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

    /// <summary>Runs the look-up to its end, whoever waits for it: it cannot be taken back.</summary>
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
            answer = new NameAnswer([], clock.GetTimestamp(), fault); // unknown, or nobody to ask: the next connection asks again
        }

        if (answer.IsGood)
        {
            Volatile.Write(ref _known, answer);
        }

        Debug.Assert(_underWay == started, "One look-up at a time.");
        Volatile.Write(ref _underWay, null); // before it is told: who asks then is to start another
        started.End(answer);
    }

    /// <summary>Waits for a look-up, but not longer than a little after its start.</summary>
    /// <returns>Null where it has not ended by then.</returns>
    private async Task<NameAnswer?> WaitSoftlyAsync(LookUpUnderWay asked, CancellationToken cancel)
    {
        TimeSpan left = SoftWait - clock.GetElapsedTime(asked.StartedAt);
        if (left > TimeSpan.Zero)
        {
            await ((Task)asked.Ended).WaitAsync(left, clock, cancel).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }

        return asked.Ended.IsCompleted ? await asked.Ended.ConfigureAwait(false) : null;
    }

    /// <summary>The same answer with the address that worked last in front.</summary>
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

    /// <summary>The families take turns, each in the system's order (RFC 8305 §4): where one family is dead, the second address lives.</summary>
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

        return [.. mixed.GetRange(0, Math.Min(mixed.Count, MostAddresses))];
    }

    /// <summary>One look-up, and those who wait for it.</summary>
    private sealed class LookUpUnderWay(long startedAt)
    {
        /// <summary>Completed once, with what the look-up has brought.</summary>
        private readonly TaskCompletionSource<NameAnswer> _ended = new(TaskCreationOptions.RunContinuationsAsynchronously);

        /// <summary>By the clock's timestamps.</summary>
        public long StartedAt { get; } = startedAt;

        /// <summary>Never faults.</summary>
        public Task<NameAnswer> Ended => _ended.Task;

        public void End(NameAnswer answer) => _ended.SetResult(answer);
    }
}
