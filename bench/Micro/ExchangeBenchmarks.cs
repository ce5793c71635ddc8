using System.IO.Pipelines;
using System.Text;
using BenchmarkDotNet.Attributes;

namespace McpProxyFast.Micro;

/// <summary>The whole engine over in-memory pipes: one warm connection, one exchange after the other.</summary>
/// <remarks>Everything runs inline on the benchmark's thread, so the time is the engine's and that of the pipes.</remarks>
[MemoryDiagnoser]
public class ExchangeBenchmarks
{
    private const int Events = 1_000;

    private static readonly PipeOptions Inline = new(readerScheduler: PipeScheduler.Inline, writerScheduler: PipeScheduler.Inline, useSynchronizationContext: false);
    private static readonly byte[] Request = [.. SampleHeads.McpPost, .. new byte[98]];
    private static readonly byte[] Answer = [.. SampleHeads.JsonAnswer, .. new byte[200]];
    private static readonly byte[] StreamHead = "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n"u8.ToArray();
    private static readonly byte[] OneEvent = "28\r\nevent: message\ndata: {\"jsonrpc\":\"2.0\"}\n\n\r\n"u8.ToArray();

    private readonly Pipe _toProxy = new(Inline);
    private readonly Pipe _fromProxy = new(Inline);
    private readonly Pipe _toUpstream = new(Inline);
    private readonly Pipe _fromUpstream = new(Inline);
    private McpProxy? _proxy;

    [GlobalSetup]
    public void Prepare()
    {
        var options = new McpProxyOptions
        {
            Target = new Uri("http://127.0.0.1:9000"),
            Limits = new ProxyLimits { UpstreamMaxAge = TimeSpan.FromDays(1) },
            ConnectUpstream = _ => ValueTask.FromResult<IDuplexPipe>(new Duplex(_fromUpstream.Reader, _toUpstream.Writer)),
        };
        _proxy = new McpProxy(options);
        _ = _proxy.ServeAsync(new Duplex(_toProxy.Reader, _fromProxy.Writer), new ClientConnectionInfo(), CancellationToken.None);
        string answer = Encoding.ASCII.GetString(SmallPostAsync().AsTask().GetAwaiter().GetResult());
        if (!answer.StartsWith("HTTP/1.1 200 OK", StringComparison.Ordinal) || !answer.Contains("Content-Length: 200", StringComparison.Ordinal))
        {
            throw new InvalidOperationException($"The benchmark is broken; the client got: {answer}");
        }
    }

    [GlobalCleanup]
    public async Task CleanUp() => await _proxy!.DisposeAsync();

    [Benchmark]
    public async ValueTask<int> SmallPost()
    {
        await _toProxy.Writer.WriteAsync(Request);
        await TakeAsync(_toUpstream.Reader);
        await _fromUpstream.Writer.WriteAsync(Answer);
        return await TakeAsync(_fromProxy.Reader);
    }

    [Benchmark(OperationsPerInvoke = Events)]
    public async ValueTask<int> StreamOfThousandEvents()
    {
        await _toProxy.Writer.WriteAsync(Request);
        await TakeAsync(_toUpstream.Reader);
        await _fromUpstream.Writer.WriteAsync(StreamHead);
        int received = await TakeAsync(_fromProxy.Reader);
        for (int i = 0; i < Events; i++)
        {
            await _fromUpstream.Writer.WriteAsync(OneEvent);
            received += await TakeAsync(_fromProxy.Reader);
        }

        await _fromUpstream.Writer.WriteAsync("0\r\n\r\n"u8.ToArray());
        return received + await TakeAsync(_fromProxy.Reader);
    }

    private async ValueTask<byte[]> SmallPostAsync()
    {
        await _toProxy.Writer.WriteAsync(Request);
        await TakeAsync(_toUpstream.Reader);
        await _fromUpstream.Writer.WriteAsync(Answer);
        ReadResult read = await _fromProxy.Reader.ReadAsync();
        byte[] answer = System.Buffers.BuffersExtensions.ToArray(read.Buffer);
        _fromProxy.Reader.AdvanceTo(read.Buffer.End);
        return answer;
    }

    private static async ValueTask<int> TakeAsync(PipeReader reader)
    {
        ReadResult read = await reader.ReadAsync();
        int length = (int)read.Buffer.Length;
        reader.AdvanceTo(read.Buffer.End);
        return length;
    }

    private sealed record Duplex(PipeReader Input, PipeWriter Output) : IDuplexPipe;
}
