using System.IO.Pipelines;
using System.Text;
using System.Text.Json.Nodes;

namespace McpProxyFast.Bridge.Tests.Support;

/// <summary>A bridge in process, with the test as its client.</summary>
internal sealed class BridgeRun : IAsyncDisposable
{
    /// <summary>A long line comes to the bridge in pieces of this size, as it does over stdin.</summary>
    private const int PieceBytes = 32 * 1024;

    /// <summary>From here on the bridge waits for the client to read.</summary>
    private const int MaxUnread = 1024 * 1024;

    private readonly Pipe _toBridge = new(new PipeOptions(pauseWriterThreshold: 2 * PieceBytes, resumeWriterThreshold: PieceBytes));
    private readonly Pipe _fromBridge = new(new PipeOptions(pauseWriterThreshold: MaxUnread, resumeWriterThreshold: MaxUnread / 2));
    private readonly CancellationTokenSource _stopping = new();
    private readonly McpBridge _bridge;
    private readonly StreamReader _lines;

    public BridgeRun(McpBridgeOptions options)
    {
        _bridge = new McpBridge(options);
        _lines = new StreamReader(_fromBridge.Reader.AsStream(), new UTF8Encoding(false));
        Running = _bridge.RunAsync(new Ends(_toBridge.Reader, _fromBridge.Writer), _stopping.Token);
    }

    /// <summary>Ends when the bridge has.</summary>
    public Task Running { get; }

    public static BridgeRun Start(Uri target, Func<McpBridgeOptions, McpBridgeOptions>? with = null)
    {
        var options = new McpBridgeOptions { Upstream = new McpProxyOptions { Target = target, Limits = new ProxyLimits { DrainTimeout = TimeSpan.Zero } } };
        return new BridgeRun(with is null ? options : with(options));
    }

    /// <summary>Sends a line.</summary>
    public Task SendAsync(string line) => SendBytesAsync(Encoding.UTF8.GetBytes(line + "\n"));

    /// <summary>Sends bytes as fast as the bridge reads them.</summary>
    public async Task SendBytesAsync(ReadOnlyMemory<byte> bytes)
    {
        while (!bytes.IsEmpty)
        {
            ReadOnlyMemory<byte> piece = bytes[..Math.Min(PieceBytes, bytes.Length)];
            await _toBridge.Writer.WriteAsync(piece).AsTask().Soon();
            bytes = bytes[piece.Length..];
        }
    }

    /// <summary>Sends a request and waits for the next message.</summary>
    public async Task<JsonNode> AskAsync(string request)
    {
        await SendAsync(request);
        return await ReceiveAsync();
    }

    /// <summary>Shakes hands, as a client of an older revision does.</summary>
    public async Task<JsonNode> InitializeAsync(string version = "2025-11-25")
    {
        JsonNode answer = await AskAsync(Lines.Initialize(version));
        await SendAsync(Lines.Initialized);
        return answer;
    }

    /// <summary>The next message to the client.</summary>
    public async Task<JsonNode> ReceiveAsync() => JsonNode.Parse(await ReceiveLineAsync() ?? throw new InvalidOperationException("The bridge has ended."))!;

    /// <summary>The next line to the client; null at the end.</summary>
    public async Task<string?> ReceiveLineAsync() => await _lines.ReadLineAsync().Soon();

    /// <summary>Waits until the bridge has written as much as it may while the client reads nothing.</summary>
    public async Task FullAsync()
    {
        ReadResult unread = await _fromBridge.Reader.ReadAtLeastAsync(MaxUnread).AsTask().Soon();
        _fromBridge.Reader.AdvanceTo(unread.Buffer.Start);
    }

    /// <summary>The client sends no more.</summary>
    public async Task EndInputAsync() => await _toBridge.Writer.CompleteAsync();

    /// <summary>The client reads no more.</summary>
    public async Task StopReadingAsync() => await _fromBridge.Reader.CompleteAsync();

    public Task StopAsync() => _stopping.CancelAsync();

    /// <summary>Waits for the end.</summary>
    public Task EndedAsync() => Running.Soon();

    public async ValueTask DisposeAsync()
    {
        await _stopping.CancelAsync();
        await _fromBridge.Reader.CompleteAsync();
        await Running.Soon();
        await _bridge.DisposeAsync().Soon();
        _stopping.Dispose();
    }

    private sealed record Ends(PipeReader Input, PipeWriter Output) : IDuplexPipe;
}
