using System.IO.Pipelines;
using System.Text;
using McpProxyFast.Engine.Tests.Support;
using McpProxyFast.Http1;
using McpProxyFast.Relay;
using McpProxyFast.Rewriting;

namespace McpProxyFast.Engine.Tests.Rewriting;

/// <summary>What the first event of a GET's stream is turned into, however its bytes come.</summary>
public sealed class EndpointEventTests
{
    private static readonly BodyLimits Limits = new(MaxDataBytes: 64 * 1024, MaxOverheadBytes: 1000);

    [Theory]
    [InlineData("event: endpoint\ndata: http://up.test:8080/messages?id=1\n\n", "/messages?id=1")]
    [InlineData("event: endpoint\r\ndata: http://up.test:8080/messages?id=1\r\n\r\n", "/messages?id=1")]
    [InlineData("event: endpoint\rdata: http://up.test:8080/messages?id=1\r\r", "/messages?id=1")]
    [InlineData("event:endpoint\ndata:HTTP://UP.test:8080/m\n\n", "/m")]
    [InlineData("data: http://up.test:8080/m\nevent: endpoint\n\n", "/m")]
    [InlineData("id: 7\nretry: 10\nevent: endpoint\ndata: http://up.test:8080/m\n\n", "/m")]
    [InlineData(": hello\n\n:\nevent: endpoint\ndata: http://up.test:8080/m\n\n", "/m")]
    [InlineData("\nevent: endpoint\n\nevent: endpoint\ndata: http://up.test:8080/m\n\n", "/m")]
    [InlineData("\u00ef\u00bb\u00bfevent: endpoint\ndata: http://up.test:8080/m\n\n", "/m")]
    [InlineData("event: endpoint\ndata: http://up.test:8080?id=1\n\n", "/?id=1")]
    [InlineData("event: endpoint\ndata: http://up.test:8080/\n\n", "/")]
    public async Task UrlOnTheUpstreamsOriginBecomesItsPath(string events, string path)
    {
        await RelayEverywhereAsync("http://up.test:8080", events, sent =>
        {
            Assert.Equal(events.Length, sent.Length);
            Assert.Equal([("endpoint", path)], EventsOf(sent));
        });
    }

    [Theory]
    [InlineData("https://up.test/v1/mcp", "https://up.test/m", "/m")]
    [InlineData("https://up.test/v1/mcp", "http://up.test/m", "/m")]
    [InlineData("https://up.test/v1/mcp", "https://up.test:443/m", "/m")]
    [InlineData("https://up.test/v1/mcp", "http://up.test:80/m", "/m")]
    [InlineData("https://up.test:8443/", "http://up.test:8443/m", "/m")]
    [InlineData("http://[::1]:80/", "http://[::1]/m", "/m")]
    [InlineData("http://[::1]:80/", "http://[::1]:80/m", "/m")]
    public async Task OriginIsKnownInEverySpelling(string target, string url, string path)
    {
        await RelayEverywhereAsync(target, $"event: endpoint\ndata: {url}\n\n", sent =>
        {
            Assert.Equal([("endpoint", path)], EventsOf(sent));
        });
    }

    [Theory]
    [InlineData("event: endpoint\ndata: /messages?id=1\n\n")]
    [InlineData("event: endpoint\ndata: http://elsewhere.test/m\n\n")]
    [InlineData("event: endpoint\ndata: https://up.test:8080/m\n\n")]
    [InlineData("event: endpoint\ndata: http://up.test:80800/m\n\n")]
    [InlineData("event: endpoint\ndata: http://up.test:8080.evil.test/m\n\n")]
    [InlineData("event: endpoint\ndata: http://up.test:8080@evil.test/m\n\n")]
    [InlineData("event: endpoint\ndata: http://up.test:8080//evil.test/m\n\n")]
    [InlineData("event: endpoint\ndata: http://up.test:8080/\\evil.test/m\n\n")]
    [InlineData("event: endpoint\ndata: http://up.test:8080/\t/evil.test/m\n\n")]
    [InlineData("event: endpointed\ndata: http://up.test:8080/m\n\n")]
    [InlineData("event: message\ndata: http://up.test:8080/m\n\n")]
    [InlineData("data: http://up.test:8080/m\n\nevent: endpoint\ndata: http://up.test:8080/m\n\n")]
    [InlineData("data: {\"jsonrpc\":\"2.0\"}\n\nevent: endpoint\ndata: http://up.test:8080/m\n\n")]
    [InlineData("{\"event\": \"endpoint\"}\nevent")]
    [InlineData("event: endpoint\ndata: http://up.test:8080/m")]
    [InlineData("")]
    public async Task EverythingElsePassesAsItCame(string events)
    {
        await RelayEverywhereAsync("http://up.test:8080", events, sent =>
        {
            Assert.Equal(events, sent);
        });
    }

    [Fact]
    public async Task OnlyTheFirstEventIsChanged()
    {
        const string more = "event: endpoint\ndata: http://up.test:8080/other\n\n";
        await RelayEverywhereAsync("http://up.test:8080", "event: endpoint\ndata: http://up.test:8080/m\n\n" + more, sent =>
        {
            Assert.EndsWith("\n\n" + more, sent, StringComparison.Ordinal);
        });
    }

    /// <summary>A chunk's length holds what it says, also where the URL lies in two of them.</summary>
    [Theory]
    [InlineData(1)]
    [InlineData(7)]
    [InlineData(16)]
    [InlineData(30)]
    [InlineData(1000)]
    public async Task ChunksKeepTheirLengths(int chunk)
    {
        const string events = "event: endpoint\ndata: http://up.test:8080/messages\n\ndata: {}\n\n";
        string chunks = string.Concat(events.Chunk(chunk).Select(data => $"{data.Length:x}\r\n{new string(data)}\r\n")) + "0\r\n\r\n";
        await Split.EverywhereAsync(chunks, async pieces =>
        {
            string bare = await RelayAsync("http://up.test:8080", BodyFraming.OfChunks(Limits), BodyRelay.SinkForm.Bare, pieces);
            Assert.Equal([("endpoint", "/messages"), ("message", "{}")], EventsOf(bare));
            string framed = await RelayAsync("http://up.test:8080", BodyFraming.OfChunks(Limits), BodyRelay.SinkForm.AsReceived, pieces);
            Assert.Equal(chunks.Length, framed.Length);
        });
    }

    [Fact]
    public void CommentThatKeepsTheStreamAliveIsNotHeldBack()
    {
        byte[] bytes = Encoding.ASCII.GetBytes(": ping\n\n: pong\nevent: endp");
        int released = Make("http://up.test").Look(BodyFraming.UntilClose(), bytes, out bool isOver);
        Assert.Equal((": ping\n\n: pong\n".Length, false), (released, isOver));
    }

    [Fact]
    public void BytesThatAreHeldBackAreBounded()
    {
        byte[] bytes = Encoding.ASCII.GetBytes($"event: endpoint\ndata: http://up.test/{new string('a', EndpointEvent.MaxBytes)}");
        int released = Make("http://up.test").Look(BodyFraming.UntilClose(), bytes, out bool isOver);
        Assert.Equal((bytes.Length, true), (released, isOver));
    }

    private static EndpointEvent Make(string target) => new(new UpstreamOrigin(new Uri(target)));

    private static Task RelayEverywhereAsync(string target, string events, Action<string> check) => Split.EverywhereAsync(events, async pieces =>
        check(await RelayAsync(target, BodyFraming.OfLength(events.Length), BodyRelay.SinkForm.AsReceived, pieces)));

    private static async Task<string> RelayAsync(string target, BodyFraming framing, BodyRelay.SinkForm form, byte[][] pieces)
    {
        // All in one segment, as a connection gives it; and each piece is looked at before the next comes.
        var source = new Pipe(new PipeOptions(readerScheduler: PipeScheduler.Inline, minimumSegmentSize: 64 * 1024));
        var sent = new MemoryStream();
        var relay = new BodyRelay();
        relay.Start(framing, form, Make(target).Look);
        ValueTask<RelayEnd> running = relay.RunAsync(source.Reader, PipeWriter.Create(sent));
        foreach (byte[] piece in pieces)
        {
            await source.Writer.WriteAsync(piece);
        }

        await source.Writer.CompleteAsync();
        await running.Soon();
        return Heads.Text(sent.ToArray());
    }

    /// <summary>Reads events as a client does (HTML §9.2.6).</summary>
    private static List<(string Name, string Data)> EventsOf(string stream)
    {
        var events = new List<(string, string)>();
        string name = "message";
        var data = new List<string>();
        foreach (string line in stream.TrimStart('\u00ef', '\u00bb', '\u00bf').Replace("\r\n", "\n", StringComparison.Ordinal).Split('\n', '\r'))
        {
            int colon = line.IndexOf(':', StringComparison.Ordinal);
            string value = colon < 0 ? "" : line[(colon + 1)..];
            value = value.StartsWith(' ') ? value[1..] : value;
            switch (colon < 0 ? line : line[..colon])
            {
                case "event":
                    name = value;
                    break;
                case "data":
                    data.Add(value);
                    break;
                case "" when colon < 0:
                    if (data.Count > 0)
                    {
                        events.Add((name, string.Join('\n', data)));
                    }

                    (name, data) = ("message", []);
                    break;
            }
        }

        return events;
    }
}
