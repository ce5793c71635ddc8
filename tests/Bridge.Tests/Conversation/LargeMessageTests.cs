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
    public async Task RefusedMessagesMakeNoOtherWaitAgain()
    {
        var input = new Pipe(new PipeOptions(readerScheduler: PipeScheduler.Inline, pauseWriterThreshold: 0, useSynchronizationContext: false));
        using var front = new LineFront(new Ends(input.Reader, new Pipe().Writer), new MessageRoom(_clock, maxLargeBytes: 4 * Large));
        byte[] longer = Encoding.UTF8.GetBytes(
            $$$"""{"params":{"name":"{{{new string('x', 5 * Large / 2)}}}"},"jsonrpc":"2.0","method":"tools/call","id":2}""" + "\n");
        async Task<Task<ReceivedMessage>> SendInTwoPartsAsync()
        {
            await input.Writer.WriteAsync(longer.AsMemory(0, Large)); // for which there is room
            Task<ReceivedMessage> received = front.ReceiveAsync(default).AsTask();
            await input.Writer.WriteAsync(longer.AsMemory(Large));
            return received;
        }

        await input.Writer.WriteAsync(Encoding.UTF8.GetBytes($"{LongCall("0")}\n{LongCall("1")}\n"));
        using MessageBuffer first = (await front.ReceiveAsync(default)).Message!;
        using MessageBuffer second = (await front.ReceiveAsync(default)).Message!;

        Task<ReceivedMessage> waiting = await SendInTwoPartsAsync();
        Assert.False(waiting.IsCompleted);
        _clock.Advance(MessageRoom.WaitTime);
        AssertRefused("2", await waiting);

        Task<ReceivedMessage> refused = await SendInTwoPartsAsync();
        Assert.True(refused.IsCompleted);
        AssertRefused("2", await refused);
    }

    [Fact]
    public void WhatIsRentedForAMessageCounts()
    {
        const int Length = 5 * 1024; // lies in a piece of 4 KiB and one of 16
        var budget = new MemoryBudget(most: 3 * 20 * 1024);
        MessageBuffer[] held = [Held(Length), Held(Length), Held(Length)];
        Assert.All(held, message => Assert.True(budget.TryTake(message)));

        using MessageBuffer more = Held(1);
        Assert.False(budget.TryTake(more));
        held[0].Dispose();
        Assert.True(budget.TryTake(more));
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
    public async Task MessagesOfMediumLengthAreBoundedTooAndGiveTheirTurnBackWhenTheyAreLarge()
    {
        var large = new LargeMessages(_clock);
        MessageBuffer[] held = [.. Enumerable.Range(0, LargeMessages.MaxMediumAtATime).Select(_ => Held(LargeMessages.Medium + 1))];
        foreach (MessageBuffer each in held)
        {
            await large.TakeTurnAsync(each, default);
        }

        using MessageBuffer next = Held(LargeMessages.Medium + 1);
        Task turn = large.TakeTurnAsync(next, default).AsTask();
        Assert.False(turn.IsCompleted);

        held[0].Add(new byte[LargeMessages.Large]);
        await large.TakeTurnAsync(held[0], default);

        await turn;
        Assert.NotNull(next.Hold);
        Assert.NotNull(held[0].Hold);
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

    private static MessageBuffer Held(int length = LargeMessages.Large + 1)
    {
        var message = new MessageBuffer();
        message.Add(new byte[length]);
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
