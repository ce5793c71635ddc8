using System.Net;
using System.Text.RegularExpressions;
using McpProxyFast.Cli.Tests.Support;
using Xunit;

namespace McpProxyFast.Cli.Tests;

/// <summary>Descriptors are bounded: clients wait for them, and nobody's exchange fails for want of one.</summary>
public sealed partial class DescriptorTests
{
    private const int Flood = 200;

    [Fact]
    public async Task FloodBeyondTheDescriptorsWaitsAndIsServedAsRoomComes()
    {
        const int descriptors = 256;
        if (!OperatingSystem.IsLinux())
        {
            return; // elsewhere a process has no such bound of its own
        }

        using var upstream = new HeldUpstream();
        await using Command command = Command.StartWithDescriptors(descriptors, "proxy", "name", "--target-uri", upstream.Address);
        int port = await PortAsync(command);
        Task<string> seen = upstream.RequestAsync();
        await using RawPeer first = await AskAsync(port, "GET /mcp HTTP/1.1");
        RawPeer[] clients = await Task.WhenAll(Enumerable.Range(0, Flood).Select(_ => AskAsync(port, "GET /health HTTP/1.1")));
        Assert.StartsWith("GET /", await seen, StringComparison.Ordinal);
        await upstream.AnswerAsync("in the midst of it");
        await Expect200Async(first);

        // Whoever has been answered leaves, and makes room for the next.
        await Task.WhenAll(clients.Select(Expect200Async));
        Assert.Empty(Warning().Matches((await StopAsync(command)).Errors));
    }

    [Fact]
    public async Task DescriptorsUsedUpByOthersMakeClientsWaitAndAreSpokenOfOnce()
    {
        if (!OperatingSystem.IsLinux())
        {
            return;
        }

        using var upstream = new HeldUpstream();
        await using Command command = Command.StartWithDescriptors(4 * Flood, "proxy", "name", "--target-uri", upstream.Address);
        int port = await PortAsync(command);
        await command.LimitDescriptorsAsync(command.HighestDescriptor + 1);
        RawPeer[] clients = await Task.WhenAll(Enumerable.Range(0, Flood).Select(_ => AskAsync(port, "GET /health HTTP/1.1")));
        await command.ErrorLineAsync("could not be accepted");

        await command.LimitDescriptorsAsync(4 * Flood);
        await Task.WhenAll(clients.Select(Expect200Async));
        Assert.Single(Warning().Matches((await StopAsync(command)).Errors));
    }

    private static async Task<int> PortAsync(Command command) => int.Parse(Port().Match(await command.LineAsync("on port")).Groups[1].Value);

    private static async Task<Outcome> StopAsync(Command command)
    {
        await command.SignalAsync("TERM");
        Outcome outcome = await command.EndAsync();
        Assert.Equal(0, outcome.ExitCode);
        return outcome;
    }

    [GeneratedRegex(@"on port (\d+)")]
    private static partial Regex Port();

    [GeneratedRegex("warn .*could not be accepted")]
    private static partial Regex Warning();

    private static async Task<RawPeer> AskAsync(int port, string requestLine)
    {
        var client = RawPeer.Of(await Loopback.ConnectAsync(new IPEndPoint(IPAddress.Loopback, port)));
        await client.SendAsync($"{requestLine}\r\nHost: 127.0.0.1:{port}\r\n\r\n");
        return client;
    }

    private static async Task Expect200Async(RawPeer client)
    {
        await using (client)
        {
            Assert.Equal(200, (await client.ReadResponseAsync()).Status);
        }
    }
}
