using System.Text;
using System.Threading.Channels;
using McpProxyFast.Bridge.Messages;
using McpProxyFast.Bridge.Tests.Support;
using Microsoft.Extensions.Time.Testing;

namespace McpProxyFast.Bridge.Tests.Conversation;

/// <summary>What a client sends behind its handshake is held back until that is over.</summary>
public sealed class HeldInputTests
{
    private static readonly TimeSpan DrainTime = TimeSpan.FromSeconds(5);

    private readonly FakeTimeProvider _clock = new();

    private readonly Client _client = new();

    private readonly HeldInput _input;

    public HeldInputTests()
    {
        _input = new HeldInput(_client, _clock, DrainTime);
        _input.Hold(MessageId.Of("hand"));
    }

    [Fact]
    public async Task MessagesGoOnInTheirOrderWhenTheHandshakeIsOver()
    {
        string[] lines = [Lines.Initialized, Lines.Call("1"), $"[{Lines.Call("2")}]"];
        _client.Send(lines);
        Task<ReceivedMessage> first = _input.ReceiveAsync(default);
        Assert.False(first.IsCompleted);

        _input.Release();

        Assert.Equal(lines[0], Text(await first));
        Assert.Equal(lines[1], Text(await _input.ReceiveAsync(default)));
        Assert.Equal(lines[2], Text(await _input.ReceiveAsync(default)));
    }

    [Fact]
    public async Task WhatIsAnsweredHereGoesOnAtOnce()
    {
        _client.Send(Lines.Call("1"), "{ no JSON");

        Assert.Equal("{ no JSON", Text(await _input.ReceiveAsync(default)));
    }

    [Fact]
    public async Task RequestThatIsCancelledMeanwhileIsDropped()
    {
        _client.Send(Lines.Call("1"), Lines.Call("2"), Cancelled("1"));
        Task<ReceivedMessage> first = _input.ReceiveAsync(default);

        _input.Release();

        Assert.Equal(Lines.Call("2"), Text(await first));
        Assert.Empty(_input.TakeAll());
    }

    [Fact]
    public async Task CancellationOfTheHandshakeEndsTheWaitForIt()
    {
        _client.Send(Lines.Call("1"), Cancelled("\"hand\""));

        Assert.Equal(Lines.Call("1"), Text(await _input.ReceiveAsync(default)));
        Assert.Equal(Cancelled("\"hand\""), Text(await _input.ReceiveAsync(default)));
    }

    [Fact]
    public async Task EndComesBehindWhatWasHeldBack()
    {
        _client.Send(Lines.Call("1"));
        _client.End();
        Task<ReceivedMessage> first = _input.ReceiveAsync(default);
        _clock.Advance(TimeSpan.FromSeconds(2));

        _input.Release();

        Assert.Equal(Lines.Call("1"), Text(await first));
        ReceivedMessage end = await _input.ReceiveAsync(default);
        Assert.True(end.IsEnd);
        Assert.Equal(TimeSpan.FromSeconds(2), end.EndedFor);
    }

    [Fact]
    public async Task EndWaitsForTheDrainTimeAtMost()
    {
        _client.Send(Lines.Call("1"));
        _client.End();
        Task<ReceivedMessage> end = _input.ReceiveAsync(default);
        Assert.False(end.IsCompleted);

        _clock.Advance(DrainTime);

        Assert.True((await end).IsEnd);
        Assert.Equal(DrainTime, (await end).EndedFor);
        Assert.Equal(Lines.Call("1"), Text(Assert.Single(_input.TakeAll())));
    }

    private static string Text(ReceivedMessage received)
    {
        using MessageBuffer? message = received.Message;
        return message!.Bytes.Text();
    }

    private static string Cancelled(string id) =>
        $$$"""{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":{{{id}}}}}""";

    /// <summary>A client that has sent what the test says.</summary>
    private sealed class Client : IBridgeFront
    {
        private readonly Channel<ReceivedMessage> _sent = Channel.CreateUnbounded<ReceivedMessage>();

        public CancellationToken Gone => CancellationToken.None;

        public void Send(params string[] lines)
        {
            foreach (string line in lines)
            {
                var message = new MessageBuffer();
                message.Add(Encoding.UTF8.GetBytes(line));
                Assert.True(_sent.Writer.TryWrite(new ReceivedMessage(message)));
            }
        }

        public void End() => Assert.True(_sent.Writer.TryWrite(default));

        public ValueTask<ReceivedMessage> ReceiveAsync(CancellationToken cancellationToken) => _sent.Reader.ReadAsync(cancellationToken);

        public Task EndReceivingAsync() => Task.CompletedTask;

        public ValueTask SendAsync(System.Buffers.ReadOnlySequence<byte> message) => throw new NotSupportedException();

        public void Close() => throw new NotSupportedException();
    }
}
