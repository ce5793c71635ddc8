using System.Net;
using System.Net.Sockets;
using McpProxyFast.Wire.Tests.Support;

namespace McpProxyFast.Wire.Tests;

/// <summary>What the client, the connections and the observer see when the upstream fails, stage by stage.</summary>
public sealed class UpstreamFaultTests
{
    [Fact]
    public async Task RefusedConnectionIsA502()
    {
        await using var host = new WireHost(Over.Pipes);
        host.RefuseConnects(1);
        RawPeer client = await host.ConnectAsync();
        await client.SendAsync(Messages.Post);
        await ExpectFaultAsync(host, client, 502, "upstream-unreachable", attempts: 0);
        await client.SendAsync(Messages.Get);
        RawPeer upstream = await host.AcceptAsync();
        await upstream.ReadRequestAsync();
    }

    [Fact]
    public async Task PortNobodyListensOnIsA502()
    {
        var unused = new TcpListener(IPAddress.Loopback, 0);
        unused.Start();
        var target = new Uri($"http://{unused.LocalEndpoint}");
        unused.Stop();
        await using var host = new WireHost(Over.Sockets, options => options with { Target = target });
        RawPeer client = await host.ConnectAsync();
        await client.SendAsync(Messages.Post);
        await ExpectFaultAsync(host, client, 502, "upstream-unreachable", attempts: 0);
    }

    [Theory, OverBoth]
    public async Task CloseBeforeTheHeadIsA502(Over over)
    {
        await using var host = new WireHost(over);
        (RawPeer client, RawPeer upstream) = await SendAsync(host, Messages.Get);
        upstream.Finish();
        await ExpectFaultAsync(host, client, 502, "upstream-closed-early", attempts: 1);
        await ExpectFreshUpstreamAsync(host, client);
    }

    [Theory, OverBoth]
    public async Task ResetBeforeTheHeadIsA502(Over over)
    {
        await using var host = new WireHost(over);
        (RawPeer client, RawPeer upstream) = await SendAsync(host, Messages.Get);
        upstream.Reset();
        await ExpectFaultAsync(host, client, 502, "upstream-closed-early", attempts: 1);
        await ExpectFreshUpstreamAsync(host, client);
    }

    [Theory, OverBoth]
    public async Task CloseWithinTheHeadIsA502(Over over)
    {
        await using var host = new WireHost(over);
        (RawPeer client, RawPeer upstream) = await SendAsync(host, Messages.Get);
        await upstream.SendAsync("HTTP/1.1 200 OK\r\nContent-Le");
        upstream.Finish();
        await ExpectFaultAsync(host, client, 502, "upstream-closed-early", attempts: 1);
        await ExpectFreshUpstreamAsync(host, client);
    }

    [Theory, OverBoth]
    public async Task ResetWithinTheHeadIsA502(Over over)
    {
        await using var host = new WireHost(over);
        (RawPeer client, RawPeer upstream) = await SendAsync(host, Messages.Get);
        await upstream.SendAsync("HTTP/1.1 200 OK\r\nContent-Le");
        upstream.Reset();
        await ExpectFaultAsync(host, client, 502, "upstream-closed-early", attempts: 1);
    }

    [Theory, OverBoth]
    public async Task CloseWithinADeclaredLengthCutsTheAnswer(Over over)
    {
        await using var host = new WireHost(over);
        (RawPeer client, RawPeer upstream) = await SendAsync(host, Messages.Get);
        await upstream.SendAsync("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhello");
        await client.ReadThroughAsync("hello");
        upstream.Finish();
        await ExpectCutAsync(host, client);
    }

    [Theory, OverBoth]
    public async Task ResetWithinADeclaredLengthCutsTheAnswer(Over over)
    {
        await using var host = new WireHost(over);
        (RawPeer client, RawPeer upstream) = await SendAsync(host, Messages.Get);
        await upstream.SendAsync("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhello");
        await client.ReadThroughAsync("hello");
        upstream.Reset();
        await ExpectCutAsync(host, client);
    }

    [Theory, OverBoth]
    public async Task ResetOfABodyUntilCloseCutsTheAnswer(Over over)
    {
        await using var host = new WireHost(over);
        (RawPeer client, RawPeer upstream) = await SendAsync(host, Messages.Get);
        await upstream.SendAsync("HTTP/1.1 200 OK\r\n\r\nhello");
        await client.ReadThroughAsync("hello\r\n");
        upstream.Reset();
        await ExpectCutAsync(host, client);
    }

    [Theory, OverBoth]
    public async Task HalfCloseBehindAWholeAnswerIsNoFault(Over over)
    {
        await using var host = new WireHost(over);
        (RawPeer client, RawPeer upstream) = await SendAsync(host, Messages.Get);
        await upstream.SendAsync(Messages.Ok);
        upstream.Finish();
        Assert.Equal("ok", (await client.ReadResponseAsync()).Body);
        Assert.Equal(ExchangeEnd.Answered, (await host.Reports.NextAsync()).End);
        Assert.Equal("", await upstream.ReadToEndAsync());
        await ExpectFreshUpstreamAsync(host, client);
    }

    [Theory, OverBoth]
    public async Task BytesOnAnIdleConnectionEndIt(Over over)
    {
        await using var host = new WireHost(over);
        (RawPeer client, RawPeer upstream) = await SendAsync(host, Messages.Get);
        await upstream.SendAsync(Messages.Ok);
        await client.ReadResponseAsync();
        await upstream.SendAsync("HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nevil");
        Assert.Equal("", await upstream.ReadToEndAsync());
        await ExpectFreshUpstreamAsync(host, client);
    }

    [Theory, OverBoth]
    public async Task PostOnAFreshConnectionIsNeverSentTwice(Over over)
    {
        await using var host = new WireHost(over);
        (RawPeer client, RawPeer upstream) = await SendAsync(host, Messages.Post);
        upstream.Reset();
        await ExpectFaultAsync(host, client, 502, "upstream-closed-early", attempts: 1);
        Assert.Equal(1, host.Connects);
    }

    [Theory, OverBoth]
    public async Task GetThatMeetsAClosingConnectionIsSentAgain(Over over)
    {
        await using var host = new WireHost(over);
        (RawPeer client, RawPeer upstream) = await SendAsync(host, Messages.Get);
        await upstream.SendAsync(Messages.Ok);
        await client.ReadResponseAsync();
        await host.Reports.NextAsync();
        await client.SendAsync(Messages.Get);
        await upstream.ReadRequestAsync();
        upstream.Finish();
        RawPeer second = await host.AcceptAsync();
        await second.ReadRequestAsync();
        await second.SendAsync(Messages.Ok);
        Assert.Equal("ok", (await client.ReadResponseAsync()).Body);
        Assert.Equal(2, (await host.Reports.NextAsync()).Attempts);
    }

    [Theory, OverBoth]
    public async Task GetIsSentAgainOnlyOnce(Over over)
    {
        await using var host = new WireHost(over);
        (RawPeer client, RawPeer upstream) = await SendAsync(host, Messages.Get);
        await upstream.SendAsync(Messages.Ok);
        await client.ReadResponseAsync();
        await host.Reports.NextAsync();
        await client.SendAsync(Messages.Get);
        await upstream.ReadRequestAsync();
        upstream.Finish();
        RawPeer second = await host.AcceptAsync();
        await second.ReadRequestAsync();
        second.Finish();
        await ExpectFaultAsync(host, client, 502, "upstream-closed-early", attempts: 2);
        Assert.Equal(2, host.Connects);
    }

    [Theory, OverBoth]
    public async Task PostThatWasReceivedIsNotSentAgain(Over over)
    {
        await using var host = new WireHost(over);
        (RawPeer client, RawPeer upstream) = await SendAsync(host, Messages.Get);
        await upstream.SendAsync(Messages.Ok);
        await client.ReadResponseAsync();
        await host.Reports.NextAsync();
        await client.SendAsync(Messages.Post);
        await upstream.ReadRequestAsync();
        upstream.Finish();
        await ExpectFaultAsync(host, client, 502, "upstream-closed-early", attempts: 1);
        Assert.Equal(1, host.Connects);
    }

    /// <summary>A reset acknowledges nothing, so it cannot say that the request was not read.</summary>
    [Theory, OverBoth]
    public async Task PostThatMeetsAResetIsNotSentAgain(Over over)
    {
        await using var host = new WireHost(over);
        (RawPeer client, RawPeer upstream) = await SendAsync(host, Messages.Get);
        await upstream.SendAsync(Messages.Ok);
        await client.ReadResponseAsync();
        await host.Reports.NextAsync();
        await client.SendAsync(Messages.Post);
        await upstream.ReadRequestAsync();
        upstream.Reset();
        await ExpectFaultAsync(host, client, 502, "upstream-closed-early", attempts: 1);
        Assert.Equal(1, host.Connects);
    }

    [Theory, OverBoth]
    public async Task GetWhoseAnswerHadBegunIsNotSentAgain(Over over)
    {
        await using var host = new WireHost(over);
        (RawPeer client, RawPeer upstream) = await SendAsync(host, Messages.Get);
        await upstream.SendAsync(Messages.Ok);
        await client.ReadResponseAsync();
        await host.Reports.NextAsync();
        await client.SendAsync(Messages.Get);
        await upstream.ReadRequestAsync();
        await upstream.SendAsync("HTTP/1.1 200");
        upstream.Finish();
        await ExpectFaultAsync(host, client, 502, "upstream-closed-early", attempts: 1);
    }

    /// <summary>A request of which the last bytes never left must not be followed by another one: that would be read as its body.</summary>
    [Fact]
    public async Task EarlyAnswerThatLeavesTheLastBytesBehindEndsItsConnection()
    {
        await using var host = new WireHost(Over.Sockets);
        int taken = await AnswerEarlyAsync(host, 8_000_000);
        for (int beyond = 1; beyond <= 4_096; beyond *= 8)
        {
            await AnswerEarlyAsync(host, taken + beyond);
        }
    }

    [Fact]
    public async Task ConnectionIsHandedToAnotherClientOnceItsOwnHasLeft()
    {
        await using var host = new WireHost(Over.Pipes);
        (RawPeer first, RawPeer upstream) = await SendAsync(host, Messages.GetThenClose);
        await upstream.SendAsync(Messages.Ok);
        await first.ReadResponseAsync();
        await first.ReadToEndAsync();
        await host.ServedAsync();
        RawPeer second = await host.ConnectAsync();
        Assert.Equal("ok", (await Messages.ExchangeAsync(second, upstream)).Body);
        Assert.Equal(1, host.Connects);
    }

    [Theory, OverBoth]
    public async Task TwoOpenClientsNeverShareAConnection(Over over)
    {
        await using var host = new WireHost(over);
        (RawPeer first, RawPeer upstream) = await SendAsync(host, Messages.Get);
        await upstream.SendAsync(Messages.Ok);
        await first.ReadResponseAsync();
        RawPeer second = await host.ConnectAsync();
        await second.SendAsync(Messages.Get);
        RawPeer other = await host.AcceptAsync();
        await other.ReadRequestAsync();
        Assert.Equal("", upstream.Unread);
    }

    /// <summary>Sends a body that the upstream does not read before it answers.</summary>
    /// <returns>How much of it there was room for.</returns>
    private static async Task<int> AnswerEarlyAsync(WireHost host, int length)
    {
        RawPeer client = await host.ConnectAsync();
        await client.SendAsync($"POST /mcp HTTP/1.1\r\nHost: h\r\nContent-Length: {length}\r\n\r\n");
        Task sending = client.TrySendAsync(new string('x', length));
        RawPeer upstream = await host.AcceptAsync();
        await Task.Delay(200); // until nothing moves any more
        await upstream.SendAsync(Messages.Ok);
        StrictMessage answer = await client.ReadResponseAsync();
        Assert.Equal(200, answer.Status);
        if (answer.Field("Connection") is null)
        {
            await upstream.DisposeAsync(); // there was room for all of it
            return length;
        }

        await client.ReadToEndAsync();
        await sending;
        string seen = await upstream.ReadToEndAsync();
        int taken = seen.Length - seen.IndexOf("\r\n\r\n", StringComparison.Ordinal) - 4;
        Assert.InRange(taken, 1, length - 1);
        return taken;
    }

    private static async Task<(RawPeer Client, RawPeer Upstream)> SendAsync(WireHost host, string request)
    {
        RawPeer client = await host.ConnectAsync();
        await client.SendAsync(request);
        RawPeer upstream = await host.AcceptAsync();
        await upstream.ReadRequestAsync();
        return (client, upstream);
    }

    private static async Task ExpectFaultAsync(WireHost host, RawPeer client, int status, string reason, int attempts)
    {
        StrictMessage answer = await client.ReadResponseAsync();
        Assert.Equal(status, answer.Status);
        Assert.Equal("application/json", answer.Field("Content-Type"));
        Assert.Contains($"\"reason\":\"{reason}\"", answer.Body, StringComparison.Ordinal);
        ExchangeReport report = await host.Reports.NextAsync();
        Assert.Equal((ExchangeEnd.Faulted, status, reason, attempts), (report.End, report.Status, report.Reason, report.Attempts));
    }

    private static async Task ExpectCutAsync(WireHost host, RawPeer client)
    {
        Assert.Equal("", await client.ReadToEndAsync());
        Assert.True(client.WasReset);
        ExchangeReport report = await host.Reports.NextAsync();
        Assert.Equal((ExchangeEnd.Cut, 200, "upstream-aborted-body"), (report.End, report.Status, report.Reason));
    }

    /// <summary>The client's connection goes on, over another connection to the upstream.</summary>
    private static async Task ExpectFreshUpstreamAsync(WireHost host, RawPeer client)
    {
        await client.SendAsync(Messages.Get);
        RawPeer fresh = await host.AcceptAsync();
        await fresh.ReadRequestAsync();
        await fresh.SendAsync(Messages.Ok);
        Assert.Equal("ok", (await client.ReadResponseAsync()).Body);
    }
}
