using McpProxyFast.Wire.Tests.Support;

namespace McpProxyFast.Wire.Tests;

/// <summary>The limits of <see cref="ProxyLimits"/> that are counts and sizes: what is at the bound passes, what is one above does not.</summary>
public sealed class SizeLimitTests
{
    [Theory]
    [OverEvery(1024, 200)]
    [OverEvery(1025, 431)]
    public Task MaxHeadBytes(Over over, int bytes, int status)
    {
        const string frame = "GET / HTTP/1.1\r\nHost: h\r\nA: \r\n\r\n";
        return ExpectAsync(over, new ProxyLimits { MaxHeadBytes = 1024 }, $"GET / HTTP/1.1\r\nHost: h\r\nA: {new string('a', bytes - frame.Length)}\r\n\r\n", status);
    }

    [Theory]
    [OverEvery(256, 200)]
    [OverEvery(257, 414)]
    public Task MaxRequestLineBytes(Over over, int bytes, int status) =>
        ExpectAsync(over, new ProxyLimits { MaxRequestLineBytes = 256 }, $"GET /{new string('a', bytes - "GET / HTTP/1.1".Length)} HTTP/1.1\r\nHost: h\r\n\r\n", status);

    [Theory]
    [OverEvery(8, 200)]
    [OverEvery(9, 431)]
    public Task MaxFields(Over over, int fields, int status) =>
        ExpectAsync(
            over,
            new ProxyLimits { MaxFields = 8 },
            $"GET / HTTP/1.1\r\nHost: h\r\n{string.Concat(Enumerable.Repeat("A: b\r\n", fields - 1))}\r\n",
            status);

    [Theory]
    [OverEvery(100, 200)]
    [OverEvery(101, 413)]
    public Task MaxRequestBodyBytesOfADeclaredLength(Over over, int bytes, int status) =>
        ExpectAsync(over, new ProxyLimits { MaxRequestBodyBytes = 100 }, Messages.PostOf(new string('a', bytes)), status);

    [Theory]
    [OverEvery(40, 200)]
    [OverEvery(41, 413)]
    public Task MaxRequestBodyBytesOfChunks(Over over, int bytes, int status) =>
        ExpectAsync(over, new ProxyLimits { MaxRequestBodyBytes = 100 }, $"{Messages.ChunkedPostHead}3c\r\n{new string('a', 60)}\r\n{bytes:x}\r\n{new string('a', bytes)}\r\n0\r\n\r\n", status);

    [Theory]
    [OverEvery(100, 200)]
    [OverEvery(101, 400)]
    public Task MaxChunkOverheadBytesOfExtensions(Over over, int bytes, int status) =>
        ExpectAsync(over, new ProxyLimits { MaxChunkOverheadBytes = 100 }, $"{Messages.ChunkedPostHead}1{Extension(bytes)}\r\na\r\n0\r\n\r\n", status);

    [Theory]
    [OverEvery(0, 200)]
    [OverEvery(1, 400)]
    public Task MaxChunkOverheadBytesMayBeNothing(Over over, int bytes, int status) =>
        ExpectAsync(over, new ProxyLimits { MaxChunkOverheadBytes = 0 }, $"{Messages.ChunkedPostHead}1{Extension(bytes)}\r\na\r\n0\r\n\r\n", status);

    [Theory]
    [OverEvery(50, 200)]
    [OverEvery(51, 400)]
    public Task MaxChunkOverheadBytesOfExtensionsSumsUpOverTheChunks(Over over, int chunks, int status) => ExpectAsync(
        over, new ProxyLimits { MaxChunkOverheadBytes = 100 }, $"{Messages.ChunkedPostHead}{string.Concat(Enumerable.Repeat("1;x\r\na\r\n", chunks))}0\r\n\r\n", status);

    [Theory]
    [OverEvery(10, 200)]
    [OverEvery(100, 400)]
    public Task MaxChunkOverheadBytesOfTrailers(Over over, int lines, int status) => ExpectAsync(
        over, new ProxyLimits { MaxChunkOverheadBytes = 100 }, $"{Messages.ChunkedPostHead}1\r\na\r\n0\r\n{string.Concat(Enumerable.Repeat("A: b\r\n", lines))}\r\n", status);

    [Theory]
    [OverEvery("1{0}\r\na\r\n", ";x=y")]
    [OverEvery("0\r\n{0}", "A: b\r\n")]
    public async Task MaxChunkOverheadBytesCutsAnAnswerWithoutEnd(Over over, string frame, string repeated)
    {
        await using WireHost host = Host(over, new ProxyLimits());
        (RawPeer client, RawPeer upstream) = await host.BeginAnswerAsync(Messages.StreamHead + "5\r\nhello\r\n", "hello\r\n");
        int enough = 2 * new ProxyLimits().MaxChunkOverheadBytes / repeated.Length;
        await upstream.TrySendAsync(string.Format(System.Globalization.CultureInfo.InvariantCulture, frame, string.Concat(Enumerable.Repeat(repeated, enough))));
        await Expect.CutAsync(host, client);
        Assert.Equal(1, host.Counts.Of("mcpproxyfast.refusals reason=chunk-overhead-too-large rule=RFC 9112 §7.1.1 side=upstream"));
    }

    [Theory]
    [OverEvery(8, 200)]
    [OverEvery(9, 502)]
    public Task MaxFieldsOfAnAnswer(Over over, int fields, int status) =>
        ExpectAnswerAsync(over, new ProxyLimits { MaxFields = 8 }, $"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n{string.Concat(Enumerable.Repeat("A: b\r\n", fields - 1))}\r\n", status);

    [Theory]
    [OverEvery(1024, 200)]
    [OverEvery(1025, 502)]
    public Task MaxHeadBytesOfAnAnswer(Over over, int bytes, int status)
    {
        const string frame = "HTTP/1.1 200 OK\r\nContent-Length: 0\r\nA: \r\n\r\n";
        return ExpectAnswerAsync(
            over, new ProxyLimits { MaxHeadBytes = 1024 }, $"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nA: {new string('a', bytes - frame.Length)}\r\n\r\n", status);
    }

    [Theory]
    [OverEvery(2, 200)]
    [OverEvery(3, 502)]
    public async Task MaxInterimResponses(Over over, int count, int status)
    {
        await using WireHost host = Host(over, new ProxyLimits { MaxInterimResponses = 2 });
        (RawPeer client, RawPeer upstream) = await host.SendAsync("GET / HTTP/1.0\r\n\r\n");
        await upstream.SendAsync(string.Concat(Enumerable.Repeat("HTTP/1.1 102 Processing\r\n\r\n", count)) + Messages.Ok);
        Assert.Equal(status, (await client.ReadResponseAsync()).Status);
    }

    [Theory, OverEvery]
    public async Task ReplayWindowBytesBoundsWhatIsSentAgain(Over over)
    {
        await using WireHost host = Host(over, new ProxyLimits { ReplayWindowBytes = 0, MaxRedirects = 5 });
        (RawPeer client, RawPeer upstream) = await host.BeginRequestAsync("POST /mcp HTTP/1.1\r\nHost: h\r\nContent-Length: 4\r\n\r\nwx", "\r\n\r\nwx");
        await client.SendAsync("yz");
        await upstream.ReadThroughAsync("yz");
        await upstream.SendAsync("HTTP/1.1 307 Temporary Redirect\r\nLocation: /mcp/\r\nContent-Length: 0\r\n\r\n");
        Assert.Equal(307, (await client.ReadResponseAsync()).Status);
        Assert.Equal(1, host.Connects);
    }

    [Theory, OverEvery]
    public async Task ReplayWindowBytesDoesNotBoundARequestThatIsHereWhole(Over over)
    {
        await using WireHost host = Host(over, new ProxyLimits { ReplayWindowBytes = 0, MaxRedirects = 5 });
        (RawPeer client, RawPeer upstream) = await host.SendAsync(Messages.Post);
        await upstream.SendAsync("HTTP/1.1 307 Temporary Redirect\r\nLocation: /mcp/\r\nContent-Length: 0\r\n\r\n");
        Assert.StartsWith("POST /mcp/ ", (await upstream.ReadRequestAsync()).StartLine, StringComparison.Ordinal);
        await upstream.SendAsync(Messages.Ok);
        Assert.Equal(200, (await client.ReadResponseAsync()).Status);
    }

    [Theory, OverEvery]
    public async Task MaxIdleUpstreamConnectionsClosesTheOneThatComesBack(Over over)
    {
        await using WireHost host = Host(over, new ProxyLimits { MaxIdleUpstreamConnections = 0 });
        (RawPeer client, RawPeer upstream) = await host.ServeOneAsync();
        client.Finish();
        Assert.Equal("", await upstream.ReadToEndAsync());
    }

    [Theory, OverOnly("Slots are those of a listener.", Over.Sockets, Over.PortableSockets, Over.Tls)]
    public async Task MaxConnectionsMakesTheNextClientWait(Over over)
    {
        await using var host = new WireHost(over, options => options with { Limits = new ProxyLimits { MaxConnections = 1 } });
        (RawPeer first, RawPeer upstream) = await host.SendAsync(Messages.Get);
        RawPeer second = await host.ConnectAsync();
        await second.SendAsync(Messages.GetOf("/second"));
        await upstream.SendAsync(Messages.Ok);
        await first.ReadResponseAsync();
        Assert.Equal("ok", (await Messages.ExchangeAsync(first, upstream)).Body);
        Assert.Equal(1, host.Connects);

        // Who has its answer may still be within its exchange, and to leave then is to cancel it: its connection to the upstream would be closed.
        await host.Reports.NextAsync();
        await host.Reports.NextAsync();
        first.Finish();
        Assert.StartsWith("GET /second ", (await upstream.ReadRequestAsync()).StartLine, StringComparison.Ordinal);
        await upstream.SendAsync(Messages.Ok);
        Assert.Equal("ok", (await second.ReadResponseAsync()).Body);
    }

    /// <summary>A flood waits in the accept queue and is served as room comes.</summary>
    [Theory, OverOnly("Slots are those of a listener.", Over.Sockets, Over.PortableSockets, Over.Tls)]
    public async Task MaxConnectionsServesAFloodInTurn(Over over)
    {
        const int flood = 60;
        await using var host = new WireHost(over, options => options with { Limits = new ProxyLimits { MaxConnections = 3 } });
        AnsweringUpstream upstream = AnsweringUpstream.Ok(host);
        RawPeer[] clients = await Task.WhenAll(Enumerable.Range(0, flood).Select(_ => host.ConnectAsync()));
        foreach (RawPeer client in clients)
        {
            await client.SendAsync(Messages.GetThenClose);
        }

        foreach (RawPeer client in clients)
        {
            Assert.Equal(200, (await client.ReadResponseAsync()).Status);
            await client.ReadToEndAsync();
        }

        Assert.Equal(flood, upstream.Requests.Count);
        Assert.Empty(host.Counts.Failures);
    }

    private static WireHost Host(Over over, ProxyLimits limits) => new(over, options => options with { Limits = limits });

    private static string Extension(int bytes) => bytes == 0 ? "" : ";" + new string('a', bytes - 1);

    private static async Task ExpectAnswerAsync(Over over, ProxyLimits limits, string answer, int status)
    {
        await using WireHost host = Host(over, limits);
        (RawPeer client, RawPeer upstream) = await host.SendAsync(Messages.Get);
        await upstream.SendAsync(answer);
        Assert.Equal(status, (await client.ReadResponseAsync()).Status);
    }

    private static async Task ExpectAsync(Over over, ProxyLimits limits, string request, int status)
    {
        await using WireHost host = Host(over, limits);
        AnsweringUpstream upstream = AnsweringUpstream.Ok(host);
        RawPeer client = await host.ConnectAsync();
        await client.SendAsync(request);
        Assert.Equal(status, (await client.ReadResponseAsync()).Status);
        Assert.Equal(status == 200 ? 1 : 0, upstream.Requests.Count);
    }
}
