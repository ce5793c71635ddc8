using System.Globalization;
using System.Net;
using McpProxyFast;
using McpProxyFast.Soak;
using McpProxyFast.Soak.Network;
using McpProxyFast.Soak.Storm;

// Mixed traffic through one proxy, with clients that leave and an upstream that is taken away, for some time. At the end every request
// is accounted for and everything that was taken has been given back. usage: soak [--minutes N]
// With --storm everybody, the hooks of a host too, does what it likes. usage: soak --storm [--over CHANNEL|all] [--minutes N] [--seed N]
// With --network the command in a namespace whose network has faults; network.sh makes it. usage: soak --network COMMAND [--minutes N]
const int clients = 24;
const int descriptorSlack = 8;
if (args is ["--storm", ..])
{
    return await StormOptions.RunAsync(args[1..]);
}

if (args is ["--network", ..])
{
    return await NetworkRun.RunAsync(args[1..]);
}

double minutes = args is ["--minutes", var given] ? double.Parse(given, CultureInfo.InvariantCulture) : 30;

var ledger = new Ledger();
using var upstream = new RestartingUpstream(ledger);
upstream.Start();
await using var proxy = new McpProxy(new McpProxyOptions
{
    Listen = new IPEndPoint(IPAddress.Loopback, 0),
    Target = new Uri($"http://127.0.0.1:{upstream.Port}/"),
    Observer = ledger,
    Limits = new ProxyLimits { UpstreamIdleTimeout = TimeSpan.FromSeconds(2) },
});
IPEndPoint address = proxy.Bind();
using var stopping = new CancellationTokenSource();
Task serving = proxy.RunAsync(stopping.Token);

await RunTrafficAsync(TimeSpan.FromSeconds(5)); // warm: pools and caches have their size
Footprint before = await Footprint.SettleAsync(() => true);
Console.WriteLine($"warm: {before}");
await RunTrafficAsync(TimeSpan.FromMinutes(minutes));
Footprint after = await Footprint.SettleAsync(() => true, before.Descriptors + descriptorSlack);
Console.WriteLine($"after {minutes.ToString(CultureInfo.InvariantCulture)} min: {after}");
ledger.Print(Console.Out);

await stopping.CancelAsync();
await serving;
return ExitCode();

async Task RunTrafficAsync(TimeSpan time)
{
    using var over = new CancellationTokenSource(time);
    Task restarting = RestartAsync(over.Token);
    await Task.WhenAll(Enumerable.Range(0, clients).Select(seed => new MixedClient(address, ledger, seed).RunAsync(over.Token)));
    await restarting;
}

async Task RestartAsync(CancellationToken over)
{
    while (!over.IsCancellationRequested)
    {
        await Task.Delay(TimeSpan.FromSeconds(4), over).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        upstream.Stop();
        await Task.Delay(TimeSpan.FromMilliseconds(200), CancellationToken.None);
        upstream.Start();
    }
}

int ExitCode()
{
    List<string> failures = [.. ledger.Wrong];
    Expect(ledger.Started == ledger.Ended, "A request is unaccounted for by the clients.");
    Expect(ledger.Reported <= ledger.Started, "The proxy reported exchanges that no client began.");
    Expect(after.Descriptors <= before.Descriptors + descriptorSlack, "Descriptors were not given back.");
    Expect(after.ManagedBytes <= before.ManagedBytes + Footprint.Slack, "Memory was not given back.");
    Expect(ledger.Duplicated == 0, "A POST was sent twice.");
    failures.ForEach(Console.WriteLine);
    Console.WriteLine(failures.Count == 0 ? "sound" : "NOT sound");
    return failures.Count == 0 ? 0 : 1;

    void Expect(bool holds, string failure)
    {
        if (!holds)
        {
            failures.Add(failure);
        }
    }
}
