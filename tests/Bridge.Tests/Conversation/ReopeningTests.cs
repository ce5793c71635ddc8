using System.Collections.Concurrent;
using System.Diagnostics;
using System.Text.Json.Nodes;
using System.Threading.Channels;
using McpProxyFast.Bridge.Tests.Support;

namespace McpProxyFast.Bridge.Tests.Conversation;

/// <summary>When the bridge opens a stream again that has ended, and when it does not.</summary>
public sealed class ReopeningTests
{
    private const string Endpoint = "event: endpoint\ndata: messages\n\n";

    /// <summary>A timer may fire that much before its time.</summary>
    private static readonly TimeSpan Tolerance = TimeSpan.FromMilliseconds(20);

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    public async Task ServerThatWantsToBeAskedWithoutAPauseIsGivenOne(int retry)
    {
        var times = new Times();
        await using ScriptedServer server = await ScriptedServer.StartAsync(exchange =>
            times.Note() < 5 ? exchange.EventsAsync($"id: e\nretry: {retry}\ndata:\n\n") : exchange.EventsAsync($"data: {Lines.Result("1")}\n\n"));
        await using BridgeRun bridge = BridgeRun.Start(server.Address);

        Assert.NotNull((await bridge.AskAsync(Lines.Call("1")))["result"]);

        times.ExpectGaps(100, 200, 400, 800);
    }

    [Fact]
    public async Task ServersOwnStreamThatEndsAtOnceIsOpenedAgainAfterAPause()
    {
        var times = new Times();
        await using ScriptedServer server = await ScriptedServer.StartWithHandshakeAsync(async exchange =>
        {
            if (times.Note() < 4)
            {
                await exchange.EventsAsync("retry: 0\n\n");
                return;
            }

            await exchange.EventsAsync($"data: {Lines.Initialized}\n\n");
            await exchange.HoldAsync();
        });
        await using BridgeRun bridge = BridgeRun.Start(server.Address);

        await bridge.InitializeAsync();

        Assert.Equal(Lines.Initialized, await bridge.ReceiveLineAsync());
        times.ExpectGaps(100, 200, 400);
    }

    [Fact]
    public async Task ServerThatEndsEachSessionWithItsStreamIsAskedForTheNextOneAfterAPause()
    {
        int opened = 0;
        var times = new Times();
        await using ScriptedServer server = await ScriptedServer.StartAsync(exchange =>
        {
            switch (exchange)
            {
                case { Method: "initialize" }:
                    times.Note();
                    return exchange.WelcomeAsync();
                case { Verb: "GET" } when ++opened % 2 == 1:
                    return exchange.EventsAsync($"retry: 0\ndata: {Lines.Initialized}\n\n");
                case { Verb: "GET" }:
                    return exchange.StatusAsync(404);
                default:
                    return exchange.StatusAsync(202);
            }
        });
        await using BridgeRun bridge = BridgeRun.Start(server.Address);

        await bridge.InitializeAsync();
        for (int streams = 0; streams < 3;)
        {
            string? line = await bridge.ReceiveLineAsync();
            Assert.NotNull(line);
            streams += line == Lines.Initialized ? 1 : 0; // a new session may have changed lists, and says so
        }

        times.ExpectGaps(0, 1000);
    }

    [Fact]
    public async Task ServerWithoutAStreamThatSays404KeepsItsSession()
    {
        await using ScriptedServer server = await ScriptedServer.StartWithHandshakeAsync(exchange =>
            exchange.Verb == "GET" ? exchange.StatusAsync(404) : exchange.JsonAsync(Lines.Result(exchange.Id!)));
        await using BridgeRun bridge = BridgeRun.Start(server.Address);
        await bridge.InitializeAsync();
        await server.Journal.SeenAsync("GET");

        for (int i = 1; i <= 30; i++)
        {
            Assert.NotNull((await bridge.AskAsync(Lines.Call($"{i}")))["result"]);
        }

        Assert.Single(server.Seen, seen => seen.Method == "initialize");
        Assert.Single(server.Seen, seen => seen.Verb == "GET");
    }

    [Fact]
    public async Task HttpSseThatEndsAtOnceIsOpenedAgainAfterAPause()
    {
        var stream = new SseScript(async (exchange, turn) =>
        {
            if (turn is > 1 and < 5)
            {
                await exchange.EventsAsync("retry: 0\n\n", Endpoint);
                return false;
            }

            await exchange.EventsAsync(Endpoint);
            return turn == 5;
        });
        await using ScriptedServer server = await ScriptedServer.StartAsync(stream.AnswerAsync);
        await using BridgeRun bridge = await StartSseAsync(server);

        stream.Break();
        await stream.OpenedAsync(5);

        // The first gap is the life of the first stream and the second that holds before the server has asked for anything.
        stream.Times.ExpectGaps(0, 100, 200, 400);
    }

    [Fact]
    public async Task HttpSseOpensItsStreamAgainAsTheServerAsksAndLaterWithEachFailure()
    {
        var stream = new SseScript(async (exchange, turn) =>
        {
            if (turn is 2)
            {
                await exchange.StatusAsync(500);
                return false;
            }

            await exchange.EventsAsync("retry: 1200\n", Endpoint);
            return true;
        });
        await using ScriptedServer server = await ScriptedServer.StartAsync(stream.AnswerAsync);
        await using BridgeRun bridge = await StartSseAsync(server);

        stream.Break();
        await stream.OpenedAsync(3);

        stream.Times.ExpectGaps(1200, 2400);
    }

    [Theory]
    [InlineData(400)]
    [InlineData(403)]
    [InlineData(404)]
    public async Task HttpSseIsNotOpenedAgainWhereTheServerRefusesIt(int status)
    {
        bool refuses = false;
        var log = new LogLines();
        var stream = new SseScript(async (exchange, _) =>
        {
            if (refuses)
            {
                await exchange.StatusAsync(status);
                return false;
            }

            await exchange.EventsAsync(Endpoint);
            return true;
        });
        await using ScriptedServer server = await ScriptedServer.StartAsync(stream.AnswerAsync);
        await using BridgeRun bridge = await StartSseAsync(server, log);
        refuses = true;
        stream.Break();
        await log.SeenAsync($"The server refuses to open the event stream of HTTP+SSE (status {status})");

        // Requests are told, each by an attempt of its own, and the next one is served once the server takes the stream again.
        JsonNode refused = await bridge.AskAsync(Lines.Call("1"));
        refuses = false;
        await bridge.SendAsync(Lines.Call("2"));
        await AnsweredAsync(bridge, "2");

        Assert.Equal(status, refused["error"]!["data"]!["status"]!.GetValue<int>());
        Assert.Equal(4, server.Seen.Count(seen => seen.Verb == "GET"));
    }

    [Fact]
    public async Task RequestsThatWaitForASessionThatCannotBeMadeAreTold()
    {
        bool takesInitialize = true;
        var stream = new SseScript(async (exchange, _) =>
        {
            await exchange.EventsAsync(Endpoint);
            return true;
        })
        {
            Initialized = () => takesInitialize ? Lines.Welcome("2024-11-05") : """{"jsonrpc":"2.0","id":"hand","error":{"code":-32603,"message":"no"}}""",
        };
        await using ScriptedServer server = await ScriptedServer.StartAsync(stream.AnswerAsync);
        var log = new LogLines();
        await using BridgeRun bridge = await StartSseAsync(server, log);
        takesInitialize = false;
        stream.Break();
        await log.SeenAsync("a new one could not be started");

        JsonNode lost = await bridge.AskAsync(Lines.Call("1"));
        takesInitialize = true;
        await bridge.SendAsync(Lines.Call("2"));
        await AnsweredAsync(bridge, "2");

        Assert.Equal("session-lost", lost["error"]!["data"]!["reason"]!.GetValue<string>());
        Assert.DoesNotContain(server.Seen, seen => seen.Id == "1");
    }

    private static async Task<BridgeRun> StartSseAsync(ScriptedServer server, LogLines? log = null)
    {
        BridgeRun bridge = BridgeRun.Start(server.Address, options => options with
        {
            Transport = McpBridgeTransport.Sse,
            Upstream = log is null ? options.Upstream : options.Upstream with { Logger = log },
        });
        await bridge.InitializeAsync("2024-11-05");
        await server.Journal.SeenAsync("POST notifications/initialized");
        return bridge;
    }

    /// <summary>Waits for the answer to a request, past what tells of the new session.</summary>
    private static async Task AnsweredAsync(BridgeRun bridge, string id)
    {
        JsonNode message = await bridge.ReceiveAsync();
        while (message["method"] is not null)
        {
            message = await bridge.ReceiveAsync();
        }

        Assert.Equal(id, message["id"]!.ToJsonString());
        Assert.NotNull(message["result"]);
    }

    /// <summary>When requests came.</summary>
    private sealed class Times
    {
        private readonly ConcurrentQueue<long> _times = new();

        /// <summary>How many have come with this one.</summary>
        public int Note()
        {
            _times.Enqueue(Stopwatch.GetTimestamp());
            return _times.Count;
        }

        /// <summary>Each came at least so many milliseconds after the one before.</summary>
        public void ExpectGaps(params int[] milliseconds)
        {
            long[] times = [.. _times];
            Assert.True(times.Length > milliseconds.Length, $"{times.Length} requests came.");
            Assert.All(milliseconds.Select((least, i) => (Least: least, Gap: Stopwatch.GetElapsedTime(times[i], times[i + 1]))), each =>
                Assert.True(each.Gap >= TimeSpan.FromMilliseconds(each.Least) - Tolerance, $"{each.Gap.TotalMilliseconds} ms in place of {each.Least} ms"));
        }
    }

    /// <summary>A server of HTTP+SSE whose streams a test plays.</summary>
    /// <param name="open">Answers a GET, of which it is told the number; whether the stream is then open until it is broken.</param>
    private sealed class SseScript(Func<Exchange, int, Task<bool>> open)
    {
        private readonly Channel<int> _opened = Channel.CreateUnbounded<int>();
        private Channel<string> _stream = Channel.CreateUnbounded<string>();

        /// <summary>When the GETs came.</summary>
        public Times Times { get; } = new();

        /// <summary>What an <c>initialize</c> is answered with.</summary>
        public Func<string> Initialized { get; init; } = () => Lines.Welcome("2024-11-05");

        /// <summary>Ends the stream that is open.</summary>
        public void Break() => _stream.Writer.Complete();

        /// <summary>Waits for that many GETs.</summary>
        public async Task OpenedAsync(int turn)
        {
            using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(60));
            while (await _opened.Reader.ReadAsync(patience.Token) < turn)
            {
                // One more.
            }
        }

        public async Task AnswerAsync(Exchange exchange)
        {
            if (exchange.Verb == "GET")
            {
                await StreamAsync(exchange);
                return;
            }

            await exchange.StatusAsync(202);
            string? answer = exchange switch
            {
                { Method: "initialize" } => Initialized(),
                { Id: { } id } => Lines.Result(id),
                _ => null,
            };
            if (answer is not null)
            {
                _stream.Writer.TryWrite($"data: {answer}\n\n");
            }
        }

        private async Task StreamAsync(Exchange exchange)
        {
            int turn = Times.Note();
            Channel<string> stream = _stream = Channel.CreateUnbounded<string>();
            bool stays = await open(exchange, turn);
            _opened.Writer.TryWrite(turn);
            if (stays || turn == 1)
            {
                await foreach (string each in stream.Reader.ReadAllAsync(exchange.Http.RequestAborted))
                {
                    await exchange.EventsAsync(each);
                }
            }
        }
    }
}
