using McpProxyFast.Wire.Tests.Corpus;
using McpProxyFast.Wire.Tests.Support;

namespace McpProxyFast.Wire.Tests;

/// <summary>Every request of the corpus: nothing is smuggled, what is refused is closed, every request has one answer.</summary>
public sealed class RequestCorpusTests
{
    private const string Folder = "requests";

    public static IEnumerable<object[]> Everywhere() => CorpusFile.Cases(Folder, Enum.GetValues<Over>());

    /// <summary>One channel without and one with a system between: the engine's reader is the same for all.</summary>
    public static IEnumerable<object[]> ByteByByteCases() => CorpusFile.Cases(Folder, Over.Pipes, Over.Sockets);

    public static IEnumerable<object[]> CutCases() =>
        CorpusFile.Cases(Folder, Over.InlinePipes, Over.StreamPipes, Over.PortableSockets, Over.Tls, Over.HostTls);

    [Theory]
    [MemberData(nameof(Everywhere))]
    public Task Whole(Over over, string file, string title) => RunAsync(over, CorpusFile.Find(Folder, file, title), pieceBytes: int.MaxValue);

    [Theory]
    [MemberData(nameof(ByteByByteCases))]
    public Task ByteByByte(Over over, string file, string title) => RunAsync(over, CorpusFile.Find(Folder, file, title), pieceBytes: 1);

    [Theory]
    [MemberData(nameof(CutCases))]
    public Task CutInTwo(Over over, string file, string title)
    {
        CorpusCase found = CorpusFile.Find(Folder, file, title);
        return RunAsync(over, found, pieceBytes: Math.Max(1, (found.Input.Length * 2 / 3) + 1));
    }

    private static async Task RunAsync(Over over, CorpusCase found, int pieceBytes)
    {
        await using var host = new WireHost(over);
        AnsweringUpstream upstream = AnsweringUpstream.Ok(host);
        RawPeer client = await host.ConnectAsync();
        Task sending = SendAsync(client, found.Input, pieceBytes);
        foreach (Outcome outcome in found.Outcomes)
        {
            await ExpectAnswerAsync(host, client, outcome, toHead: found.Input.StartsWith("HEAD", StringComparison.Ordinal) && outcome == found.Outcomes[0]);
        }

        await sending;
        await ExpectEndAsync(host, client, IsOpen(found.Outcomes[^1]));
        await host.DisposeAsync();
        ExpectSeen(upstream, found, host.Authority, isCut: pieceBytes < found.Input.Length);
    }

    private static async Task SendAsync(RawPeer client, string input, int pieceBytes)
    {
        for (int start = 0; start < input.Length; start += Math.Min(pieceBytes, input.Length - start))
        {
            if (!await client.TrySendAsync(input.Substring(start, Math.Min(pieceBytes, input.Length - start))))
            {
                return;
            }
        }
    }

    private static async Task ExpectAnswerAsync(WireHost host, RawPeer client, Outcome outcome, bool toHead)
    {
        StrictMessage answer = await client.ReadResponseAsync(toHead);
        Assert.Equal(outcome.Status, answer.Status);
        ReportedExchange report = await host.Reports.NextAsync();
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

        await next.SendAsync(CorpusFile.Probe);
        Assert.Equal(200, (await next.ReadResponseAsync()).Status);
        Assert.Equal("", next.Unread);
    }

    private static void ExpectSeen(AnsweringUpstream upstream, CorpusCase found, string authority, bool isCut)
    {
        string expected = $"{found.Output}GET /probe HTTP/1.1\r\nHost: {{up}}\r\n\r\n".Replace("{up}", authority, StringComparison.Ordinal);
        Assert.Empty(upstream.Violations);
        Assert.Equal(ParseAll(expected), upstream.Requests.Select(WithoutMark));

        // In pieces, and where it is longer than one read, the start of a body whose later bytes are refused has gone out before: never as a whole.
        if (!isCut && !found.Outcomes[^1].Words.Contains("begun"))
        {
            Assert.Empty(upstream.Unfinished);
        }
    }

    /// <summary>Every request has the proxy's mark right behind its host, once.</summary>
    private static StrictMessage WithoutMark(StrictMessage request)
    {
        string mark = Assert.Single(request.All("McpProxyFast-Hop"));
        Assert.Matches("^[0-9a-f]{16}$", mark);
        Assert.Equal("McpProxyFast-Hop", request.Fields.ElementAt(1).Name);
        return request with { Head = request.Head.Replace($"McpProxyFast-Hop: {mark}\r\n", "", StringComparison.Ordinal) };
    }

    private static List<StrictMessage> ParseAll(string requests)
    {
        var all = new List<StrictMessage>();
        while (requests.Length > 0)
        {
            StrictMessage? request = StrictReader.TakeRequest(requests, out int length);
            all.Add(request is { IsWhole: true } ? request : throw new InvalidDataException("The corpus expects half a request."));
            requests = requests[length..];
        }

        return all;
    }

    private static bool IsOpen(Outcome outcome) => !outcome.Words.Contains("closed") && (outcome.Reason.Length == 0 || outcome.Words.Contains("open"));
}
