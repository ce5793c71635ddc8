using System.IO.Pipelines;
using System.Text;
using System.Text.Json.Nodes;
using McpProxyFast.Bridge.Tests.Support;
using Microsoft.Extensions.Time.Testing;

namespace McpProxyFast.Bridge.Tests.Conversation;

/// <summary>Large messages bound what is held of them, and none holds up what is not large.</summary>
public sealed class LargeMessageTests
{
    private const int Large = 3 * 512 * 1024;

    private readonly FakeTimeProvider _clock = new();

    [Fact]
    public async Task SmallMessagesAndCancellationsPassLargeOnesThatTheServerDoesNotAnswer()
    {
        await using ScriptedServer server = await ScriptedServer.StartAsync(exchange =>
            exchange.Body.Length >= Large ? exchange.HoldAsync(begins: false)
            : exchange.Id is { } id ? exchange.JsonAsync(Lines.Result(id))
            : exchange.StatusAsync(202));
        await using BridgeRun bridge = BridgeRun.Start(server.Address);
        for (int id = 1; id <= 8; id++)
        {
            await bridge.SendAsync(LongCall($"{id}"));
        }

        Assert.Equal("9", (await bridge.AskAsync(Lines.Call("9")))["id"]!.ToJsonString());
        await bridge.SendAsync("""{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":1}}""");
        await server.Journal.SeenAsync("POST notifications/cancelled");
    }

    [Fact]
    public async Task MessageWithoutRoomIsRefusedAfterABoundedWaitAndTheNextPasses()
    {
        var input = new Pipe(new PipeOptions(pauseWriterThreshold: 0, useSynchronizationContext: false));
        using var front = new LineFront(new Ends(input.Reader, new Pipe().Writer), new MessageRoom(_clock, maxLargeBytes: 2 * 1024 * 1024));
        foreach (string line in (string[])[LongCall("1"), LongCall("2"), Lines.Call("3"), LongCall("4"), Lines.Call("5"), LongCall("6")])
        {
            await input.Writer.WriteAsync(Encoding.UTF8.GetBytes(line + "\n"));
        }

        using MessageBuffer first = (await front.ReceiveAsync(default)).Message!;
        Task<ReceivedMessage> waiting = front.ReceiveAsync(default).AsTask();
        Assert.False(waiting.IsCompleted);
        _clock.Advance(MessageRoom.WaitTime);
        AssertRefused("2", await waiting);

        using MessageBuffer third = (await front.ReceiveAsync(default)).Message!;
        AssertRefused("4", await front.ReceiveAsync(default));
        using MessageBuffer fifth = (await front.ReceiveAsync(default)).Message!;
        first.Dispose();
        using MessageBuffer sixth = (await front.ReceiveAsync(default)).Message!;
        Assert.True(sixth.Length > Large);
    }

    [Fact]
    public async Task MessageThatWaitsForRoomIsTakenWhenThereIsSome()
    {
        var input = new Pipe(new PipeOptions(pauseWriterThreshold: 0, useSynchronizationContext: false));
        using var front = new LineFront(new Ends(input.Reader, new Pipe().Writer), new MessageRoom(_clock, maxLargeBytes: 2 * 1024 * 1024));
        await input.Writer.WriteAsync(Encoding.UTF8.GetBytes($"{LongCall("1")}\n{LongCall("2")}\n"));
        MessageBuffer first = (await front.ReceiveAsync(default)).Message!;
        Task<ReceivedMessage> waiting = front.ReceiveAsync(default).AsTask();
        Assert.False(waiting.IsCompleted);

        first.Dispose();

        using MessageBuffer second = (await waiting).Message!;
        Assert.True(second.Length > Large);
    }

    [Fact]
    public async Task SmallMessagesAreBoundedToo()
    {
        var room = new MessageRoom(_clock, maxLargeBytes: 0);
        MessageBuffer[] held = [.. Enumerable.Range(0, (int)(MessageRoom.SmallBytes / (4 * 1024))).Select(_ => new MessageBuffer())];
        foreach (MessageBuffer each in held)
        {
            Assert.True(await room.TryTakeAsync(each, default));
        }

        using var more = new MessageBuffer();
        Task<bool> waiting = room.TryTakeAsync(more, default).AsTask();
        _clock.Advance(MessageRoom.WaitTime);
        Assert.False(await waiting);

        held[0].Dispose();
        Assert.True(await room.TryTakeAsync(more, default));
    }

    [Fact]
    public async Task LargeAnswerThatStallsGivesItsTurnToOneThatWaits()
    {
        var large = new LargeMessages(_clock);
        Task<int>[] stalled = [.. Enumerable.Range(0, LargeMessages.MaxAtATime).Select(_ => StallAsync(large))];
        _clock.Advance(LargeMessages.StallTime); // nobody waits, so nobody has to give way
        Assert.DoesNotContain(stalled, read => read.IsCompleted);
        using MessageBuffer next = Held();
        Task turn = large.TakeTurnAsync(next, default).AsTask();

        _clock.Advance(LargeMessages.StallTime);

        foreach (Task<int> read in stalled)
        {
            await Assert.ThrowsAsync<IOException>(() => read);
        }

        await turn;
        Assert.NotNull(next.Hold);
    }

    [Fact]
    public async Task EventThatIsTooLargeEndsTheRequestWhoseAnswerItMayBe()
    {
        await using ScriptedServer server = await ScriptedServer.StartAsync(async exchange =>
        {
            if (exchange.Verb == "GET")
            {
                await exchange.StatusAsync(405);
                return;
            }

            await exchange.EventsAsync("id: e1\ndata: ");
            string block = new('x', 1024 * 1024);
            for (int i = 0; i <= 64; i++)
            {
                await exchange.EventsAsync(block);
            }

            await exchange.EventsAsync("\n\n");
        });
        await using BridgeRun bridge = BridgeRun.Start(server.Address);

        JsonNode error = await bridge.AskAsync(Lines.Call("1"));

        Assert.Equal("upstream-answer-too-large", error["error"]!["data"]!["reason"]!.GetValue<string>());
    }

    private static void AssertRefused(string id, ReceivedMessage received)
    {
        Assert.Equal(BridgeFaultReason.TooManyBytes, received.Refusal);
        Assert.Equal(id, Encoding.UTF8.GetString(received.Id.Span));
    }

    /// <summary>A call with its id behind its params, as the official SDK for Python writes it.</summary>
    private static string LongCall(string id) =>
        $$$"""{"method":"tools/call","params":{"name":"{{{new string('x', Large)}}}"},"jsonrpc":"2.0","id":{{{id}}}}""";

    private static MessageBuffer Held()
    {
        var message = new MessageBuffer();
        message.Add(new byte[LargeMessages.Large + 1]);
        return message;
    }

    /// <summary>Reads a large message of which nothing more comes.</summary>
    private static async Task<int> StallAsync(LargeMessages large)
    {
        using MessageBuffer message = Held();
        await large.TakeTurnAsync(message, default);
        return await large.ReadAsync(new Pipe().Reader.AsStream(), new byte[1], message, default);
    }

    private sealed record Ends(PipeReader Input, PipeWriter Output) : IDuplexPipe;
}
