using McpProxyFast.Wire.Tests.Corpus;
using McpProxyFast.Wire.Tests.Support;

namespace McpProxyFast.Wire.Tests;

/// <summary>Every request of the corpus: nothing is smuggled, what is refused is closed, every request has one answer.</summary>
public sealed class RequestCorpusTests
{
    private const string Folder = "requests";
    private const string Probe = "GET /probe HTTP/1.1\r\nHost: h\r\n\r\n";

    public static TheoryData<string, string> Cases()
    {
        var cases = new TheoryData<string, string>();
        foreach (string file in CorpusFile.Names(Folder))
        {
            foreach (CorpusCase found in CorpusFile.Read(Folder, file))
            {
                cases.Add(file, found.Title);
            }
        }

        return cases;
    }

    [Theory]
    [MemberData(nameof(Cases))]
    public Task WholeOverPipes(string file, string title) => RunAsync(Over.Pipes, CorpusFile.Find(Folder, file, title), byteByByte: false);

    [Theory]
    [MemberData(nameof(Cases))]
    public Task ByteByByteOverPipes(string file, string title) => RunAsync(Over.Pipes, CorpusFile.Find(Folder, file, title), byteByByte: true);

    [Theory]
    [MemberData(nameof(Cases))]
    public Task WholeOverSockets(string file, string title) => RunAsync(Over.Sockets, CorpusFile.Find(Folder, file, title), byteByByte: false);

    private static async Task RunAsync(Over over, CorpusCase found, bool byteByByte)
    {
        await using var host = new WireHost(over);
        AnsweringUpstream upstream = AnsweringUpstream.Ok(host);
        RawPeer client = await host.ConnectAsync();
        Task sending = SendAsync(client, found.Input, byteByByte);
        foreach (Outcome outcome in found.Outcomes)
        {
            await ExpectAnswerAsync(host, client, outcome, toHead: found.Input.StartsWith("HEAD", StringComparison.Ordinal) && outcome == found.Outcomes[0]);
        }

        await sending;
        await ExpectEndAsync(host, client, IsOpen(found.Outcomes[^1]));
        await host.DisposeAsync();
        ExpectSeen(upstream, found, host.Authority, byteByByte);
    }

    private static async Task SendAsync(RawPeer client, string input, bool byteByByte)
    {
        if (!byteByByte)
        {
            await client.TrySendAsync(input);
            return;
        }

        foreach (char one in input)
        {
            if (!await client.TrySendAsync(one.ToString()))
            {
                return;
            }
        }
    }

    private static async Task ExpectAnswerAsync(WireHost host, RawPeer client, Outcome outcome, bool toHead)
    {
        StrictMessage answer = await client.ReadResponseAsync(toHead);
        Assert.Equal(outcome.Status, answer.Status);
        ReportCopy report = await host.Reports.NextAsync();
        Assert.Equal(outcome.Reason, report.Reason);
        Assert.Equal(outcome.Status, report.Status);
        Assert.Equal(IsOpen(outcome) ? null : "close", answer.Field("Connection") is "keep-alive" ? null : answer.Field("Connection"));
    }

    /// <summary>The next request is answered as itself, on this connection if it is open and on another if not.</summary>
    private static async Task ExpectEndAsync(WireHost host, RawPeer client, bool isOpen)
    {
        RawPeer next = client;
        if (!isOpen)
        {
            Assert.Equal("", await client.ReadToEndAsync());
            next = await host.ConnectAsync();
        }

        await next.SendAsync(Probe);
        Assert.Equal(200, (await next.ReadResponseAsync()).Status);
        Assert.Equal("", next.Unread);
    }

    private static void ExpectSeen(AnsweringUpstream upstream, CorpusCase found, string authority, bool byteByByte)
    {
        string expected = $"{found.Output}GET /probe HTTP/1.1\r\nHost: {{up}}\r\n\r\n".Replace("{up}", authority, StringComparison.Ordinal);
        Assert.Empty(upstream.Violations);
        Assert.Equal(ParseAll(expected), upstream.Requests);

        // Byte by byte, and where it is longer than one read, the start of a body whose later bytes are refused has gone out before: never as a whole.
        if (!byteByByte && !found.Outcomes[^1].Words.Contains("begun"))
        {
            Assert.Empty(upstream.Unfinished);
        }
    }

    private static List<StrictMessage> ParseAll(string requests)
    {
        var all = new List<StrictMessage>();
        while (requests.Length > 0)
        {
            all.Add(StrictParser.TakeRequest(requests, out int length) ?? throw new InvalidDataException("The corpus expects half a request."));
            requests = requests[length..];
        }

        return all;
    }

    private static bool IsOpen(Outcome outcome) => !outcome.Words.Contains("closed") && (outcome.Reason.Length == 0 || outcome.Words.Contains("open"));
}
