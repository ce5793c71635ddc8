using System.Globalization;
using McpProxyFast.Wire.Tests.Support;

namespace McpProxyFast.Wire.Tests;

/// <summary>Many requests and large bodies: nothing is lost, mixed or repeated, and memory stays bounded.</summary>
public sealed class VolumeTests
{
    private const int MiB = 1024 * 1024;

    [Theory, OverEvery]
    public async Task TenThousandSequentialRequestsAreAnsweredAsThemselves(Over over)
    {
        await using var host = new WireHost(over);
        AnsweringUpstream upstream = AnsweringUpstream.Start(host, request => Messages.Answer(request.Body));
        RawPeer client = await host.ConnectAsync();
        await SendManyAsync(client, 0, 10_000);
        Assert.Equal(Enumerable.Range(0, 10_000), upstream.Requests.Select(NumberOf));
        Assert.Equal([], host.Counts.Failures);
        Assert.Equal(1, host.Connects);
    }

    [Theory, OverEvery]
    public async Task SixtyFourClientsAtOnceAreNotMixed(Over over)
    {
        const int clients = 64;
        const int each = 150;
        await using var host = new WireHost(over);
        AnsweringUpstream upstream = AnsweringUpstream.Start(host, request => Messages.Answer(request.Body));
        await Task.WhenAll(Enumerable.Range(0, clients).Select(async index =>
        {
            RawPeer client = await host.ConnectAsync();
            await SendManyAsync(client, index * each, each);
        }));
        Assert.Equal(Enumerable.Range(0, clients * each), upstream.Requests.Select(NumberOf).Order());
        Assert.InRange(host.Connects, 1, clients);
    }

    [Theory]
    [OverEvery(false)]
    [OverEvery(true)]
    public async Task LargeAnswerArrivesByteForByte(Over over, bool chunked)
    {
        await using var host = new WireHost(over);
        (RawPeer client, RawPeer upstream) = await host.SendAsync(Messages.Get);
        await upstream.SendAsync(chunked ? Messages.StreamHead : $"HTTP/1.1 200 OK\r\nContent-Length: {LargeBody.Bytes}\r\n\r\n");
        Task sending = LargeBody.SendAsync(upstream, chunked);
        await client.ReadThroughAsync("\r\n\r\n");
        await LargeBody.ExpectAsync(client, chunked);
        await sending;
        Assert.Equal(ExchangeEnd.Answered, (await host.Reports.NextAsync()).End);
    }

    [Theory]
    [OverEvery(false)]
    [OverEvery(true)]
    public async Task LargeRequestArrivesByteForByte(Over over, bool chunked)
    {
        await using var host = new WireHost(over, options => options with { Limits = new ProxyLimits { MaxRequestBodyBytes = 1L << 30 } });
        RawPeer client = await host.ConnectAsync();
        await client.SendAsync(chunked ? Messages.ChunkedPostHead : $"POST /mcp HTTP/1.1\r\nHost: h\r\nContent-Length: {LargeBody.Bytes}\r\n\r\n");
        Task sending = LargeBody.SendAsync(client, chunked);
        RawPeer upstream = await host.AcceptAsync();
        await upstream.ReadThroughAsync("\r\n\r\n");
        await LargeBody.ExpectAsync(upstream, chunked);
        await sending;
        await upstream.SendAsync(Messages.Ok);
        Assert.Equal("ok", (await client.ReadResponseAsync()).Body);
    }

    /// <summary>Over pipes nothing but the engine and the pipes' own 64 KiB holds bytes; elsewhere the system's buffers do too.</summary>
    [Theory]
    [OverEvery(false)]
    [OverEvery(true)]
    public async Task SlowReaderHoldsBackOnlyItsOwnUpstream(Over over, bool chunked)
    {
        int maxMiBUnderWay = over.IsInMemory() ? 1 : 32;
        await using var host = new WireHost(over);
        (RawPeer slow, RawPeer upstream) = await host.SendAsync(Messages.Get);
        await upstream.SendAsync(chunked ? Messages.StreamHead : $"HTTP/1.1 200 OK\r\nContent-Length: {LargeBody.Bytes}\r\n\r\n");
        long sent = 0;
        Task sending = LargeBody.SendAsync(upstream, chunked, bytes => Interlocked.Add(ref sent, bytes));
        await slow.ReadThroughAsync("\r\n\r\n");

        (RawPeer other, RawPeer its) = await host.SendAsync(Messages.Get);
        await its.SendAsync(Messages.Ok);
        Assert.Equal("ok", (await other.ReadResponseAsync()).Body);

        byte[] buffer = new byte[64 * 1024];
        long read = slow.Unread.Length;
        while (read < LargeBody.WireBytes(chunked))
        {
            Assert.InRange(Interlocked.Read(ref sent) - read, long.MinValue, (long)maxMiBUnderWay * MiB);
            int length = await slow.ReadAsync(buffer.AsMemory(0, (int)Math.Min(buffer.Length, LargeBody.WireBytes(chunked) - read))); // no more: the end is looked for
            Assert.NotEqual(0, length);
            read += length;
        }

        await sending;
    }

    private static async Task SendManyAsync(RawPeer client, int first, int count)
    {
        for (int i = first; i < first + count; i++)
        {
            await client.SendAsync(Messages.PostOf($$"""{"id":{{i}}}"""));
            Assert.Equal($$"""{"id":{{i}}}""", (await client.ReadResponseAsync()).Body);
        }
    }

    private static int NumberOf(StrictMessage request) => int.Parse(request.Body.AsSpan(6, request.Body.Length - 7), CultureInfo.InvariantCulture);
}
