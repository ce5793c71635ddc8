using McpProxyFast.Wire.Tests.Corpus;
using McpProxyFast.Wire.Tests.Support;

namespace McpProxyFast.Wire.Tests;

/// <summary>Every response of the corpus: judged as strictly as a request, and no upstream connection is used again after any doubt.</summary>
public sealed class ResponseCorpusTests
{
    private const string Folder = "responses";

    public static IEnumerable<object[]> Cases() => CorpusFile.Cases(Folder, Enum.GetValues<Over>());

    [Theory]
    [MemberData(nameof(Cases))]
    public Task Whole(Over over, string file, string title) => RunAsync(over, CorpusFile.Find(Folder, file, title));

    private static async Task RunAsync(Over over, CorpusCase found)
    {
        await using var host = new WireHost(over, static options => options with { Limits = new ProxyLimits { MaxChunkOverheadBytes = 1024 } });
        string request = found.Setup ?? Messages.Get;
        (RawPeer client, RawPeer upstream) = await host.SendAsync(request);
        await upstream.SendAsync(found.Input);
        await ExpectAnswersAsync(host, client, found, toHead: request.StartsWith("HEAD", StringComparison.Ordinal));

        // The next exchange shows whether the client's connection is at the start of a message, and on which connection the upstream gets it.
        await client.SendAsync(CorpusFile.Probe);
        bool isReused = found.Outcomes[^1].Words.Contains("reused") || (found.Outcomes[^1].Reason.Length == 0 && !found.Outcomes[^1].Words.Contains("dropped"));
        RawPeer second = isReused ? upstream : await host.AcceptAsync();
        Assert.StartsWith("GET /probe ", (await second.ReadRequestAsync()).StartLine, StringComparison.Ordinal);
        await second.SendAsync("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nprobe");
        Assert.Equal("probe", (await client.ReadResponseAsync()).Body);
        Assert.Equal("", client.Unread);
        Assert.Equal(isReused ? 1 : 2, host.Connects);
        if (!isReused)
        {
            Assert.Equal("", await upstream.ReadToEndAsync());
        }
    }

    private static async Task ExpectAnswersAsync(WireHost host, RawPeer client, CorpusCase found, bool toHead)
    {
        string expected = found.Output ?? "";
        foreach (Outcome outcome in found.Outcomes)
        {
            StrictMessage answer = await client.ReadResponseAsync(toHead);
            Assert.Equal(outcome.Status, answer.Status);
            if (expected.Length > 0)
            {
                Assert.Equal(StrictReader.TakeResponse(expected, toHead, ended: true, out int length), answer);
                expected = expected[length..];
            }
        }

        Assert.Equal("", client.Unread);
        ReportedExchange report = await host.Reports.NextAsync();
        Assert.Equal(found.Outcomes[^1].Reason, report.Reason);
        Assert.Equal(found.Outcomes[^1].Status, report.Status);
    }
}
