using System.Globalization;

namespace McpProxyFast.Soak.Storm;

/// <summary>A storm over one kind of channel: every answer is its request's own, afterwards everything has been given back, and a stop ends at once.</summary>
internal static class StormRun
{
    private const int Clients = 48;
    private const int DescriptorSlack = 8;
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
            Footprint before = await Footprint.SettleAsync(() => host.IsEmpty);
            int loops = EngineThreads.Count();
            Console.WriteLine($"warm: {before}, {loops} event loops");
            await BlowAsync(host, ledger, TimeSpan.FromMinutes(minutes), seed + Clients);
            Footprint after = await Footprint.SettleAsync(() => host.IsEmpty, before.Descriptors + DescriptorSlack);
            Console.WriteLine($"after: {after}, {EngineThreads.Count()} event loops; {ledger}; {hooks.Reported} reported");
            Expect(host.OpenConnections == 0, $"{host.OpenConnections} client connections are still open.");
            Expect(StormHost.LargeBufferBytes == 0, $"{StormHost.LargeBufferBytes} bytes of large buffers have not come back.");
            Expect(after.Descriptors <= before.Descriptors + DescriptorSlack, "Descriptors were not given back.");
            Expect(EngineThreads.Count() == loops, "There are more event loops than before, or fewer.");
            Expect(after.ManagedBytes <= before.ManagedBytes + Footprint.Slack, "Memory was not given back.");
            Expect(ledger.Answered > 0, "Nothing was answered.");
            Expect(host.Violations.IsEmpty, string.Join(' ', host.Violations.Distinct()));
            Expect(await StopsAtOnceAsync(host, ledger, seed), "The stop waited for a limit.");
        }

        Expect(await EngineThreads.EndAsync(), "An event loop goes on without a proxy.");
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

    /// <summary>Stops in the middle of a storm.</summary>
    /// <returns>Whether that ended it: every limit that would have is far longer than what is waited for here.</returns>
    private static async Task<bool> StopsAtOnceAsync(StormHost host, StormLedger ledger, int seed)
    {
        using var over = new CancellationTokenSource();
        Task blowing = Task.WhenAll(
            Enumerable.Range(0, Clients).Select(index => Task.Run(() => new StormClient(host, ledger, seed + index).RunAsync(over.Token))));
        await Patience.UntilAsync(() => host.OpenConnections >= Clients / 4, "The storm does not rise.");
        await over.CancelAsync();
        try
        {
            await host.StopAsync().Soon();
            await blowing.Soon();
            return true;
        }
        catch (TimeoutException)
        {
            return false;
        }
    }
}
