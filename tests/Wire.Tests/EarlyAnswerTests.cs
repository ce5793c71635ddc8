using System.Net;
using McpProxyFast.Wire.Tests.Hosts;
using McpProxyFast.Wire.Tests.Support;
using Microsoft.Extensions.Time.Testing;

namespace McpProxyFast.Wire.Tests;

/// <summary>An answer that is given before the upload has ended is read by a client that reads nothing before it has sent everything, as most do.</summary>
public sealed class EarlyAnswerTests
{
    /// <summary>More than is allowed by default, and more than the systems' buffers hold.</summary>
    private const int UploadBytes = 20 * 1024 * 1024;

    private const int PieceBytes = 64 * 1024;

    private const string TooLarge = "HTTP/1.1 413 Content Too Large\r\nConnection: close\r\nContent-Length: 3\r\n\r\nbig";

    [Theory, OverEvery]
    public async Task OwnAnswerIsReadBehindALargeUpload(Over over)
    {
        await using var host = new WireHost(over);
        RawPeer client = await host.ConnectAsync();
        await UploadAsync(client);
        Assert.Equal(413, (await client.ReadResponseAsync()).Status);
        await ExpectOrderlyEndAsync(client);
    }

    [Theory, OverEvery]
    public async Task UpstreamsAnswerIsReadBehindALargeUpload(Over over)
    {
        await using var host = new WireHost(over, options => options with { Limits = new ProxyLimits { MaxRequestBodyBytes = 2 * UploadBytes } });
        RawPeer client = await host.ConnectAsync();
        Task uploading = UploadAsync(client);
        RawPeer upstream = await host.AcceptAsync();
        await upstream.ReadThroughAsync("\r\n\r\n");
        await upstream.SendAsync(TooLarge);
        upstream.Finish();
        await uploading;
        StrictMessage answer = await client.ReadResponseAsync();
        Assert.Equal((413, "big"), (answer.Status, answer.Body));
        await ExpectOrderlyEndAsync(client);
    }

    /// <summary>A surplus CRLF behind a body, as old clients send it: a close would take the unread answer from the client.</summary>
    [Theory, OverOnly("A system resets what is closed with bytes unread.", Over.Sockets, Over.PortableSockets, Over.Tls)]
    public async Task LastAnswerIsReadWholeThoughTheClientHasSentMore(Over over)
    {
        string body = new('a', PieceBytes);
        await using var host = new WireHost(over, clientTakes: 4096);
        (RawPeer client, RawPeer upstream) = await host.SendAsync(Messages.GetThenClose);
        await client.SendAsync("\r\n");
        await upstream.SendAsync(Messages.Answer(body));
        Assert.Equal(ExchangeEnd.Answered, (await host.Reports.NextAsync()).End);
        Assert.Equal(body, (await client.ReadResponseAsync()).Body);
        await ExpectOrderlyEndAsync(client);
    }

    [Theory, OverOnly("The client connects by itself.", Over.Sockets, Over.PortableSockets, Over.Tls)]
    public async Task HttpClientReadsWhyItsUploadWasNotTaken(Over over)
    {
        await using var host = new WireHost(over, options => options with
        {
            Incoming = TokenPolicy.Custom(new ScriptedValidator()),
            AllowedOrigins = ["https://app.example"],
        });
        using var client = new HttpClient();
        Assert.Equal(HttpStatusCode.RequestEntityTooLarge, await PostAsync(client, host, UploadBytes));
        Assert.Equal(HttpStatusCode.Unauthorized, await PostAsync(client, host, 7 * 1024 * 1024));
        client.DefaultRequestHeaders.Add("Origin", "https://evil.example");
        Assert.Equal(HttpStatusCode.Forbidden, await PostAsync(client, host, UploadBytes));
    }

    /// <summary>Silent for less than 5 s each time, and sending for less than 30 s in all.</summary>
    [Theory, OverEvery]
    public async Task SlowUploadIsReadToItsEnd(Over over)
    {
        const int pieces = 13;
        if (!over.IsInMemory() && !SystemSockets.AreShown)
        {
            return; // what the engine has read cannot be seen, and the clock must not outrun it
        }

        await using var host = new WireHost(over, clock: new FakeTimeProvider());
        RawPeer client = await BeginAsync(host);
        for (int i = 0; i < pieces; i++)
        {
            Assert.True(await SendPieceAsync(client), $"The connection was closed after {2 * i} s.");
            Pass(host, TimeSpan.FromSeconds(2));
        }

        await ExpectOrderlyEndAsync(client);
    }

    [Theory, OverEvery]
    public async Task ClientThatFallsSilentIsWaitedForFiveSeconds(Over over)
    {
        if (!over.IsInMemory() && !SystemSockets.AreShown)
        {
            return; // as above
        }

        await using var host = new WireHost(over, clock: new FakeTimeProvider());
        RawPeer client = await BeginAsync(host);
        Pass(host, TimeSpan.FromSeconds(4.5));
        Assert.True(await SendPieceAsync(client) && await SendPieceAsync(client), "The connection was closed within 4.5 s.");
        await host.PassUntilAsync(LeftAsync(host), TimeSpan.FromSeconds(5));
    }

    [Theory, OverEvery]
    public async Task ClientThatSendsForeverIsWaitedForThirtySeconds(Over over)
    {
        if (!over.IsInMemory() && !SystemSockets.AreShown)
        {
            return; // as above
        }

        await using var host = new WireHost(over, clock: new FakeTimeProvider());
        RawPeer client = await BeginAsync(host);
        var passed = TimeSpan.Zero;
        while (await SendPieceAsync(client) && passed < TimeSpan.FromMinutes(1))
        {
            Pass(host, TimeSpan.FromSeconds(1));
            passed += TimeSpan.FromSeconds(1);
        }

        Assert.InRange(passed, TimeSpan.FromSeconds(30), TimeSpan.FromSeconds(40));
        await LeftAsync(host).Soon();
    }

    [Theory, OverEvery]
    public async Task StopEndsTheWaitAtOnce(Over over)
    {
        await using var host = new WireHost(over, clock: new FakeTimeProvider());
        await BeginAsync(host);
        host.Stop();
        await LeftAsync(host).Soon(); // the clock stands still
        await host.Running.Soon();
    }

    /// <summary>A client has its answer, and most of its upload is still to come.</summary>
    private static async Task<RawPeer> BeginAsync(WireHost host)
    {
        RawPeer client = await host.ConnectAsync();
        await client.SendAsync(HeadOf(1024L * 1024 * 1024));
        Assert.Equal(413, (await client.ReadResponseAsync()).Status);
        await host.Reports.NextAsync();
        return client;
    }

    /// <summary>Sends a piece that is larger than what lies between the client and whoever reads, and waits until it has been read.</summary>
    /// <returns>False where the connection is closed.</returns>
    private static async Task<bool> SendPieceAsync(RawPeer client)
    {
        bool isTaken = await client.TrySendAsync(new string('a', PieceBytes));
        if (client.Port != 0)
        {
            await Patience.UntilAsync(() => !SystemSockets.Towards(client.Port).Any(row => row.Unread > 0), "The upload is not read.");
        }

        return isTaken;
    }

    private static void Pass(WireHost host, TimeSpan time)
    {
        TimeSpan beat = TimeSpan.FromMilliseconds(100);
        for (TimeSpan passed = TimeSpan.Zero; passed < time; passed += beat)
        {
            host.Clock!.Advance(beat);
        }
    }

    /// <summary>Waits until the engine has closed the connection.</summary>
    private static async Task<bool> LeftAsync(WireHost host)
    {
        await Patience.UntilAsync(() => host.Counts.Open == 0, "The engine has not closed the connection.");
        return true;
    }

    private static async Task ExpectOrderlyEndAsync(RawPeer client)
    {
        Assert.Equal("", await client.ReadToEndAsync());
        Assert.True(client.Ended);
        Assert.False(client.WasReset);
    }

    private static async Task<HttpStatusCode> PostAsync(HttpClient client, WireHost host, int bytes)
    {
        using var content = new ByteArrayContent(new byte[bytes]);
        using HttpResponseMessage answer = await client.PostAsync(new Uri($"http://{host.Address}/mcp"), content).Soon();
        return answer.StatusCode;
    }

    private static string HeadOf(long bytes) => $"POST /mcp HTTP/1.1\r\nHost: h\r\nContent-Length: {bytes}\r\n\r\n";

    private static async Task UploadAsync(RawPeer client)
    {
        await client.SendAsync(HeadOf(UploadBytes));
        byte[] piece = new byte[PieceBytes];
        for (int sent = 0; sent < UploadBytes; sent += PieceBytes)
        {
            await client.SendAsync(piece);
        }
    }
}
