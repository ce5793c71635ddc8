using System.Diagnostics;
using System.Globalization;

namespace McpProxyFast.Soak.Storm;

/// <summary>A storm over one kind of channel: every answer is its request's own, afterwards everything has been given back, and a stop ends at once.</summary>
internal static class StormRun
{
    private const int Clients = 48;
    private const int DescriptorSlack = 8;
    private const int ThreadSlack = 8;
    private const long MemorySlack = 16L * 1024 * 1024;

    /// <summary>How long a stop by two signals may take on a busy machine.</summary>
    private static readonly TimeSpan AtOnce = TimeSpan.FromSeconds(2);

    /// <returns>0 where all is sound.</returns>
    public static async Task<int> RunAsync(Over over, double minutes, int seed)
    {
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"storm over {over}, {minutes} min, seed {seed}"));
        var ledger = new StormLedger();
        var hooks = new StormHooks(seed);
        var upstream = new StormUpstream(ledger, seed);
        var failures = new List<string>();
        await using (var host = new StormHost(over, hooks, upstream.Serve))
        {
            await BlowAsync(host, ledger, TimeSpan.FromSeconds(4), seed); // warm: pools and caches have their size
            (Footprint before, int threadsBefore) = await SettleAsync(host);
            Console.WriteLine($"warm: {before}, {threadsBefore} threads");
            await BlowAsync(host, ledger, TimeSpan.FromMinutes(minutes), seed + Clients);
            (Footprint after, int threadsAfter) = await SettleAsync(host, threadsBefore + ThreadSlack);
            Console.WriteLine($"after: {after}, {threadsAfter} threads; {ledger}; {hooks.Reported} reported");
            Expect(host.OpenConnections == 0, $"{host.OpenConnections} client connections are still open.");
            Expect(host.OutstandingBuffers == 0, $"{host.OutstandingBuffers} buffers have not come back.");
            Expect(after.Descriptors <= before.Descriptors + DescriptorSlack, "Descriptors were not given back.");
            Expect(threadsAfter <= threadsBefore + ThreadSlack, "Threads were not given back.");
            Expect(after.ManagedBytes <= before.ManagedBytes + MemorySlack, "Memory was not given back.");
            Expect(ledger.Answered > 0, "Nothing was answered.");
            Expect(host.Violations.IsEmpty, string.Join(' ', host.Violations.Distinct()));
            TimeSpan stop = await StopWithinAsync(host, ledger, seed);
            Expect(stop < AtOnce, $"The stop took {stop.TotalSeconds:F1} s.");
        }

        failures.InsertRange(0, ledger.Wrong);
        failures.ForEach(Console.WriteLine);
        Console.WriteLine(failures.Count == 0 ? "sound" : $"NOT sound (seed {seed})");
        return failures.Count == 0 ? 0 : 1;

        void Expect(bool holds, string failure)
        {
            if (!holds)
            {
                failures.Add(failure);
            }
        }
    }

    private static async Task BlowAsync(StormHost host, StormLedger ledger, TimeSpan time, int seed)
    {
        using var over = new CancellationTokenSource(time);
        await Task.WhenAll(Enumerable.Range(0, Clients).Select(index => Task.Run(() => new StormClient(host, ledger, seed + index).RunAsync(over.Token))));
    }

    /// <summary>Waits until nothing changes any more, for some times as long as the longest limit.</summary>
    /// <param name="host">The host.</param>
    /// <param name="maxThreads">The runtime's pool gives threads up that have had nothing to do for some 20 s; what they kept goes with them.</param>
    private static async Task<(Footprint Footprint, int Threads)> SettleAsync(StormHost host, int maxThreads = int.MaxValue)
    {
        Footprint last = default;
        for (int i = 0; i < 45; i++)
        {
            await Task.Delay(TimeSpan.FromSeconds(2));
            Footprint now = Footprint.Take();
            if (host.OpenConnections == 0 && now.Descriptors == last.Descriptors && CountThreads() <= maxThreads)
            {
                break;
            }

            last = now;
        }

        return (Footprint.Take(), CountThreads());
    }

    private static int CountThreads()
    {
        using var process = Process.GetCurrentProcess();
        return process.Threads.Count;
    }

    /// <summary>Stops in the middle of a storm.</summary>
    private static async Task<TimeSpan> StopWithinAsync(StormHost host, StormLedger ledger, int seed)
    {
        using var over = new CancellationTokenSource();
        Task blowing = Task.WhenAll(
            Enumerable.Range(0, Clients).Select(index => Task.Run(() => new StormClient(host, ledger, seed + index).RunAsync(over.Token))));
        await Task.Delay(TimeSpan.FromSeconds(1));
        await over.CancelAsync();
        var stopping = Stopwatch.StartNew();
        await Task.WhenAny(host.StopAsync(), Task.Delay(TimeSpan.FromSeconds(30)));
        TimeSpan took = stopping.Elapsed;
        await Task.WhenAny(blowing, Task.Delay(TimeSpan.FromSeconds(60)));
        return took;
    }
}
