using System.Buffers;
using System.Text;
using System.Text.Json.Nodes;
using McpProxyFast.Bridge.Tests.Support;
using Microsoft.Extensions.Logging.Abstractions;

namespace McpProxyFast.Bridge.Tests.Conversation;

/// <summary>Event loops pass small messages on themselves. What may take long, or has to wait, is done elsewhere.</summary>
public sealed class BusyThreadTests
{
    private const int Long = 300_000;

    [Fact]
    public async Task LargeBodyIsReadOnByAThreadOfThePool()
    {
        var body = new Body(Encoding.UTF8.GetBytes(Lines.Result("1", new string('x', Long))));

        MessageBuffer? read = await OnAThreadOfItsOwnAsync(() => AnswerBody.ReadAsync(body, int.MaxValue, new MemoryBudget(), default));

        using MessageBuffer whole = read!;
        Assert.Equal(body.Length, whole.Length);
        body.AssertReadOnByThePool();
    }

    [Fact]
    public async Task LargeEventIsReadOnByAThreadOfThePool()
    {
        var body = new Body(Encoding.UTF8.GetBytes($"data: {new string('x', Long)}\n\n"));
        using var events = new EventStreamReader(body, new MemoryBudget());

        ServerEvent? read = await OnAThreadOfItsOwnAsync(() => events.ReadAsync(default).AsTask());

        using MessageBuffer data = read!.Value.Data;
        Assert.Equal(Long, data.Length);
        body.AssertReadOnByThePool();
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task WhatHasToBeTranslatedIsTranslatedByAThreadOfThePool(bool translates)
    {
        var front = new Front { Translates = translates };
        var delivery = new Delivery(front, Settings());

        await OnAThreadOfItsOwnAsync(() => delivery.DeliverAsync(Pieces.Of("""{"jsonrpc":"2.0","method":"m"}"""), carrier: null).AsTask());

        Assert.Equal(translates, front.WasOnPool);
    }

    /// <summary>The host may block there.</summary>
    [Fact]
    public async Task BridgeEndsOnAThreadOfThePool()
    {
        await using ScriptedServer server = await ScriptedServer.StartWithHandshakeAsync(exchange => exchange.HoldAsync());
        await using BridgeRun bridge = BridgeRun.Start(server.Address);
        await bridge.InitializeAsync();
        Task<bool> isPool = bridge.Running.ContinueWith(
            _ => Thread.CurrentThread.IsThreadPoolThread, default, TaskContinuationOptions.ExecuteSynchronously, TaskScheduler.Default);

        await bridge.EndInputAsync(); // the answer to the end of the session is the last that comes

        Assert.True(await isPool.Soon());
    }

    [Fact]
    public async Task ClientThatDoesNotReadHoldsUpNoEventLoop()
    {
        int most = 4 * Environment.ProcessorCount; // on connections of their own, so that each loop has some
        using var all = new CountdownEvent(most);
        var isThere = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        await using ScriptedServer server = await ScriptedServer.StartAsync(async exchange =>
        {
            if (exchange.Json!["params"]!["name"]!.GetValue<string>() == "small")
            {
                if (all.Signal())
                {
                    isThere.SetResult();
                }

                await isThere.Task;
            }

            await exchange.JsonAsync(Lines.Result(exchange.Id!, new string('x', 10_000)));
        });
        await using BridgeRun stuck = BridgeRun.Start(server.Address);
        for (int id = 0; id < 200; id++)
        {
            await stuck.SendAsync(Lines.Call($"{id}"));
        }

        await stuck.FullAsync();
        await using BridgeRun other = BridgeRun.Start(server.Address);
        for (int id = 0; id < most; id++)
        {
            await other.SendAsync(Lines.Call($"{id}", "small"));
        }

        var answered = new HashSet<int>();
        for (int i = 0; i < most; i++)
        {
            answered.Add((await other.ReceiveAsync())["id"]!.GetValue<int>());
        }

        Assert.Equal(most, answered.Count);
    }

    [Fact]
    public async Task SmallAndLargeEventsOfAStreamComeInTheirOrder()
    {
        int[] sizes = [.. Enumerable.Range(0, 60).Select(at => (at % 5) switch { 0 => 10, 1 => 20_000, 2 => 70_000, 3 => 300, _ => 1_200_000 })];
        await using ScriptedServer server = await ScriptedServer.StartAsync(async exchange =>
        {
            for (int i = 0; i < sizes.Length; i++)
            {
                await exchange.EventsAsync(
                    $$$"""data: {"jsonrpc":"2.0","method":"m","params":{"at":{{{i}}},"text":"{{{new string('x', sizes[i])}}}"}}""" + "\n\n");
            }

            await exchange.EventsAsync($"data: {Lines.Result(exchange.Id!)}\n\n");
        });
        await using BridgeRun bridge = BridgeRun.Start(server.Address);
        await bridge.SendAsync(Lines.Call("1"));

        for (int i = 0; i < sizes.Length; i++)
        {
            JsonNode told = await bridge.ReceiveAsync();
            Assert.Equal(i, told["params"]!["at"]!.GetValue<int>());
            Assert.Equal(sizes[i], told["params"]!["text"]!.GetValue<string>().Length);
        }

        Assert.Equal("ok", (await bridge.ReceiveAsync())["result"]!["text"]!.GetValue<string>());
    }

    /// <summary>Starts something on a thread that is none of the pool, as an event loop's is.</summary>
    private static async Task<T> OnAThreadOfItsOwnAsync<T>(Func<Task<T>> start)
    {
        Task<T>? started = null;
        var thread = new Thread(() => started = start());
        thread.Start();
        thread.Join();
        return await started!.Soon();
    }

    private static BridgeSettings Settings() => new()
    {
        Target = new Uri("http://localhost/mcp"),
        Transport = McpBridgeTransport.Auto,
        Protocol = McpBridgeProtocol.Auto,
        ReconnectTimeout = TimeSpan.Zero,
        SignInTimeout = TimeSpan.Zero,
        DrainTimeout = TimeSpan.Zero,
        StopTimeout = TimeSpan.Zero,
        IgnoredTools = [],
        HasCredential = false,
        Logger = NullLogger.Instance,
        Clock = TimeProvider.System,
    };

    /// <summary>Has all its bytes at once, and notes who reads them.</summary>
    private sealed class Body(byte[] bytes) : MemoryStream(bytes)
    {
        /// <summary>For each read, how much had been read before it, and whether a thread of the pool reads.</summary>
        private readonly List<(long Before, bool IsPool)> _reads = [];

        public void AssertReadOnByThePool()
        {
            Assert.Contains(_reads, read => !read.IsPool);
            Assert.All(_reads.Where(read => read.Before > LargeMessages.Medium), read => Assert.True(read.IsPool, $"at {read.Before}"));
        }

        public override ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
        {
            _reads.Add((Position, Thread.CurrentThread.IsThreadPoolThread));
            return base.ReadAsync(buffer, cancellationToken);
        }
    }

    /// <summary>A client that notes who sends to it.</summary>
    private sealed class Front : IBridgeFront
    {
        public required bool Translates { get; init; }

        public bool WasOnPool { get; private set; }

        public CancellationToken Gone => CancellationToken.None;

        public ValueTask<ReceivedMessage> ReceiveAsync(CancellationToken cancellationToken) => throw new NotSupportedException();

        public Task EndReceivingAsync() => Task.CompletedTask;

        public ValueTask SendAsync(ReadOnlySequence<byte> message)
        {
            WasOnPool = Thread.CurrentThread.IsThreadPoolThread;
            return ValueTask.CompletedTask;
        }

        public void Close() => throw new NotSupportedException();
    }
}
