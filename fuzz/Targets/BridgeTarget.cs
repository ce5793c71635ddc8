using System.Buffers;
using System.IO.Pipelines;
using System.Net;
using System.Text;
using McpProxyFast.Bridge;
using McpProxyFast.Bridge.Messages;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Time.Testing;
using static McpProxyFast.Fuzz.PropertyBrokenException;

namespace McpProxyFast.Fuzz.Targets;

/// <summary>
/// With a scripted client and a server that answers anything, a bridge always ends, says only JSON-RPC, and answers each request exactly once.
/// </summary>
/// <remarks>
/// A script is steps between bytes 0x1E: <c>c</c> the client sends what follows; <c>t</c> time passes; any other letter is what the server does with the next
/// request that comes: <c>j</c> a JSON body, <c>s</c> a stream of events that ends, <c>o</c> one that stays open, <c>b</c> one that is cut, <c>4</c> or <c>5</c> an
/// HTTP error with that body, <c>x</c> a cut exchange, <c>h</c> no answer. <c>S</c> first of all: HTTP+SSE.
/// </remarks>
internal sealed class BridgeTarget : IFuzzTarget, ILogger
{
    private const byte Separator = 0x1E;
    private const int MostSteps = 64;

    private string? _error;

    public string Name => "bridge";

    public string Dictionary => "bridge";

    public void Run(ReadOnlySpan<byte> input)
    {
        _error = null;
        Task<byte[]> playing = PlayAsync(input.ToArray());
        Require(playing.Wait(Patience.Limit), "Once the client has left and every limit is over, the bridge ends.");
        Require(_error is null, $"No internal error: {_error}");
        Check(ClientLines(input.ToArray()), playing.Result);
    }

    public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter) =>
        _error ??= exception?.ToString() ?? formatter(state, exception);

    public bool IsEnabled(LogLevel logLevel) => logLevel >= LogLevel.Error;

    public IDisposable? BeginScope<TState>(TState state)
        where TState : notnull => null;

    private async Task<byte[]> PlayAsync(byte[] script)
    {
        var clock = new FakeTimeProvider();
        var toBridge = new Pipe(new PipeOptions(pauseWriterThreshold: 0, useSynchronizationContext: false));
        var fromBridge = new Pipe(new PipeOptions(pauseWriterThreshold: 0, useSynchronizationContext: false));
        byte[][] steps = [.. Steps(script)];
        using var server = new ScriptedHandler(steps);
        using var link = new ProxyLink(server);
        using var front = new LineFront(new Ends(toBridge.Reader, fromBridge.Writer), new MessageRoom(clock));
        using var conversation = new Conversation(front, link, Settings(clock, script));
        Task running = conversation.RunAsync(CancellationToken.None);
        foreach (byte[] step in steps)
        {
            if (step[0] == (byte)'c')
            {
                await toBridge.Writer.WriteAsync((byte[])[.. step.AsSpan(1), (byte)'\n']);
            }
            else if (step[0] == (byte)'t')
            {
                clock.Advance(TimeSpan.FromSeconds(5));
            }

            await Task.Yield();
        }

        await toBridge.Writer.CompleteAsync();
        await Patience.NudgeUntilEndedAsync(running, () => clock.Advance(TimeSpan.FromSeconds(1)));
        await fromBridge.Writer.CompleteAsync();
        using var said = new MemoryStream();
        await fromBridge.Reader.CopyToAsync(said);
        return said.ToArray();
    }

    private BridgeSettings Settings(TimeProvider clock, byte[] script) => new()
    {
        Target = new Uri("http://mcp.invalid/mcp"),
        Transport = script is [(byte)'S', ..] ? McpBridgeTransport.Sse : McpBridgeTransport.Auto,
        Protocol = McpBridgeProtocol.PassThrough,
        ReconnectTimeout = TimeSpan.FromSeconds(3),
        SignInTimeout = TimeSpan.FromSeconds(3),
        DrainTimeout = TimeSpan.FromSeconds(3),
        StopTimeout = TimeSpan.FromSeconds(1),
        IgnoredTools = ["hidden*"],
        HasCredential = false,
        Logger = this,
        Clock = clock,
    };

    private static IEnumerable<byte[]> Steps(byte[] script)
    {
        int start = 0;
        for (int step = 0; step < MostSteps && start < script.Length; step++)
        {
            int separator = Array.IndexOf(script, Separator, start);
            int end = separator < 0 ? script.Length : separator;
            if (end > start)
            {
                yield return script[start..end];
            }

            start = end + 1;
        }
    }

    /// <summary>The lines that the client has sent.</summary>
    private static IEnumerable<ReadOnlyMemory<byte>> ClientLines(byte[] script) =>
        LinesOf([.. Steps(script).Where(step => step[0] == (byte)'c').SelectMany(step => step[1..].Append((byte)'\n'))]);

    private static IEnumerable<ReadOnlyMemory<byte>> LinesOf(byte[] text)
    {
        int start = 0;
        while (start < text.Length)
        {
            int end = Array.IndexOf(text, (byte)'\n', start) is >= 0 and var found ? found : text.Length;
            yield return text.AsMemory(start, end - start);
            start = end + 1;
        }
    }

    private static void Check(IEnumerable<ReadOnlyMemory<byte>> sent, byte[] said)
    {
        var asked = new Dictionary<MessageId, int>();
        var mayBeSilent = new HashSet<MessageId>();
        var mayBeMore = new HashSet<MessageId>();
        foreach (RpcHead head in sent.SelectMany(HeadsOf))
        {
            if (head is { Kind: MessageKind.Request, Id: { } id })
            {
                asked[id] = asked.GetValueOrDefault(id) + 1;
                _ = head.Method == Methods.Listen && mayBeSilent.Add(id);
            }
            else if (head is { Kind: MessageKind.Broken, Id: { } broken })
            {
                mayBeMore.Add(broken);
            }

            _ = head.CancelledId is { } cancelled && mayBeSilent.Add(cancelled);
        }

        var answered = new Dictionary<MessageId, int>();
        foreach (ReadOnlyMemory<byte> line in LinesOf(said))
        {
            Require(MessageScanner.Scan(line).Kind is not MessageKind.Broken, $"Every line is a message: {Encoding.UTF8.GetString(line.Span)}");
            foreach (RpcHead head in HeadsOf(line).Where(head => head.IsAnswer && head.Id is not null))
            {
                answered[head.Id!.Value] = answered.GetValueOrDefault(head.Id.Value) + 1;
            }
        }

        foreach ((MessageId id, int count) in answered)
        {
            Require(mayBeMore.Contains(id) || count <= asked.GetValueOrDefault(id), $"No request is answered twice: {id}");
        }

        foreach ((MessageId id, int count) in asked)
        {
            Require(mayBeSilent.Contains(id) || answered.GetValueOrDefault(id) >= count, $"Every request is answered: {id}");
        }
    }

    /// <summary>The messages of a line: one, or those of a batch. A batch with a broken message is refused, and each of its requests is answered.</summary>
    private static IEnumerable<RpcHead> HeadsOf(ReadOnlyMemory<byte> line)
    {
        RpcHead head = MessageScanner.Scan(line);
        if (head.Kind is not MessageKind.Batch)
        {
            return [head];
        }

        return BatchReader.Split(new ReadOnlySequence<byte>(line), BridgeLimits.MaxBatch)?.Select(part => MessageScanner.Scan(part)) ?? [];
    }

    private sealed record Ends(PipeReader Input, PipeWriter Output) : IDuplexPipe;

    /// <summary>Answers requests by the script, in their order; further ones get 405.</summary>
    private sealed class ScriptedHandler(byte[][] steps) : HttpMessageHandler
    {
        private readonly byte[][] _answers = [.. steps.Where(step => step[0] is not ((byte)'c' or (byte)'t' or (byte)'S'))];
        private int _next;

        protected override async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
        {
            if (request.Content is { } content)
            {
                await content.CopyToAsync(Stream.Null, cancellationToken);
            }

            int mine = Interlocked.Increment(ref _next) - 1;
            byte[] answer = mine < _answers.Length ? _answers[mine] : [(byte)'4'];
            byte[] body = answer[1..];
            switch ((char)answer[0])
            {
                case 'h':
                    await Task.Delay(Timeout.InfiniteTimeSpan, cancellationToken);
                    throw new HttpRequestException("never");
                case 'x':
                    throw new HttpRequestException("cut");
                case 's' or 'o' or 'b':
                    return With(HttpStatusCode.OK, new StreamContent(new ScriptedStream(body, (char)answer[0])), "text/event-stream");
                case '4' or '5':
                    return With(answer[0] == '4' ? HttpStatusCode.NotFound : HttpStatusCode.BadGateway, new ByteArrayContent(body), "application/json");
                default:
                    return With(HttpStatusCode.OK, new ByteArrayContent(body), "application/json");
            }
        }

        private static HttpResponseMessage With(HttpStatusCode status, HttpContent content, string type)
        {
            content.Headers.TryAddWithoutValidation("Content-Type", type);
            var response = new HttpResponseMessage(status) { Content = content };
            response.Headers.TryAddWithoutValidation("Mcp-Session-Id", "s");
            return response;
        }
    }

    /// <summary>Gives its bytes in small pieces; then ends, stays open, or breaks.</summary>
    private sealed class ScriptedStream(byte[] bytes, char end) : Stream
    {
        private int _at;

        public override bool CanRead => true;

        public override bool CanSeek => false;

        public override bool CanWrite => false;

        public override long Length => throw new NotSupportedException();

        public override long Position { get => throw new NotSupportedException(); set => throw new NotSupportedException(); }

        public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
        {
            if (_at < bytes.Length)
            {
                int count = Math.Min(Math.Min(buffer.Length, 1 + (_at % 7)), bytes.Length - _at);
                bytes.AsMemory(_at, count).CopyTo(buffer);
                _at += count;
                return count;
            }

            if (end == 'o')
            {
                await Task.Delay(Timeout.InfiniteTimeSpan, cancellationToken);
            }

            return end == 'b' ? throw new IOException("cut") : 0;
        }

        public override void Flush()
        {
        }

        public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException();

        public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

        public override void SetLength(long value) => throw new NotSupportedException();

        public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();
    }
}
