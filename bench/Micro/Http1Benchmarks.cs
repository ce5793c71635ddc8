using BenchmarkDotNet.Attributes;
using McpProxyFast.Http1;

namespace McpProxyFast.Micro;

/// <summary>The grammar: heads and chunked framing.</summary>
[MemoryDiagnoser]
public class Http1Benchmarks
{
    private const int Chunks = 1_000;

    private static readonly BodyLimits Body = new(long.MaxValue, 16 * 1024);

    private static readonly HeadLimits Limits = new(32 * 1024, 16 * 1024, 128, Body);

    private readonly RequestHead _request = new();
    private readonly ResponseHead _response = new();
    private byte[] _chunked = [];

    [GlobalSetup]
    public void Prepare()
    {
        byte[] oneEvent = "28\r\nevent: message\ndata: {\"jsonrpc\":\"2.0\"}\n\n\r\n"u8.ToArray();
        _chunked = [.. Enumerable.Repeat(oneEvent, Chunks).SelectMany(chunk => chunk), .. "0\r\n\r\n"u8];
        Check(ParseMcpPost() == SampleHeads.McpPost.Length, "the POST head is read whole");
        Check(ParseBrowserHead() == SampleHeads.Browser.Length, "the browser's head is read whole");
        Check(ParseJsonAnswer() == SampleHeads.JsonAnswer.Length, "the answer's head is read whole");
        Check(FrameThousandChunks() == _chunked.Length, "the chunked body is read whole");
    }

    [Benchmark]
    public int ParseMcpPost() => Parse(_request, SampleHeads.McpPost);

    [Benchmark]
    public int ParseBrowserHead() => Parse(_request, SampleHeads.Browser);

    [Benchmark]
    public int ParseJsonAnswer() => Parse(_response, SampleHeads.JsonAnswer);

    [Benchmark]
    public int FrameThousandChunks()
    {
        BodyFraming framing = BodyFraming.OfChunks(Body);
        var walk = new BodyWalk(ref framing, _chunked);
        while (walk.MoveNext())
        {
            // Only the end is looked for.
        }

        return walk.Length;
    }

    private static int Parse(MessageHead head, byte[] bytes)
    {
        head.Clear();
        head.SetBytes(bytes);
        return HeadParser.Parse(head, Limits).Length;
    }

    private static void Check(bool holds, string what)
    {
        if (!holds)
        {
            throw new InvalidOperationException($"The benchmark is broken: {what}, it should be.");
        }
    }
}
