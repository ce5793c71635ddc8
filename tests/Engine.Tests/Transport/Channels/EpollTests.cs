using System.IO.Pipelines;
using System.Net;
using System.Net.Sockets;
using McpProxyFast.Engine.Tests.Support;
using McpProxyFast.Transport;
using McpProxyFast.Transport.Epoll;
using McpProxyFast.Transport.Network;

namespace McpProxyFast.Engine.Tests.Transport.Channels;

/// <summary>What only event loops have: keys, turns, and threads that proxies share.</summary>
public sealed class EpollTests
{
    /// <summary>Slots are used again and again while the keys of those who left are looked up.</summary>
    [Fact]
    public async Task KeyOfOneWhoLeftNeverFindsTheNextInItsSlot()
    {
        using var loop = new EventLoop(0);
        var table = new DescriptorTable();
        IEpollMember current = new NoSocket(loop);
        table.Add(current);
        Task changing = Task.Run(() =>
        {
            for (int i = 0; i < 200_000; i++)
            {
                table.Remove(current);
                var next = new NoSocket(loop);
                table.Add(next);
                Volatile.Write(ref current, next);
            }
        });

        int strangers = 0;
        while (!changing.IsCompleted)
        {
            ulong key = Volatile.Read(ref current).Descriptor.Key;
            strangers += table.Find(key) is { } found && found.Descriptor.Key != key ? 1 : 0;
        }

        await changing;
        Assert.Equal(0, strangers);
    }

    [Fact]
    public async Task FloodOfConnectionsLeavesTheOthersOfTheLoopATurn()
    {
        const int flood = 40;
        using var network = new NetworkStack();
        using Listener listener = network.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        using var areAllThere = new ManualResetEventSlim();
        var accepted = new List<Connection>();
        Task<int> accepting = AcceptAsync(listener, accepted, flood, areAllThere);
        List<Socket> peers = [.. Enumerable.Range(0, flood + 1).Select(_ => Connect(listener))];
        areAllThere.Set();

        Assert.InRange(await accepting.Soon(), 2, 16);
        accepted.ForEach(static one => one.Close(reset: false));
        peers.ForEach(static one => one.Dispose());
    }

    [Fact]
    public void ProxiesShareTheLoops()
    {
        using var one = new EventLoops();
        using var other = new EventLoops();

        HashSet<EventLoop> all = [.. Enumerable.Range(0, Environment.ProcessorCount * 4).SelectMany(_ => new[] { one.Next(), other.Next() })];

        Assert.Equal(Environment.ProcessorCount, all.Count);
    }

    [Fact]
    public void ShareThatWasGivenBackGivesNoLoop()
    {
        var loops = new EventLoops();
        loops.Next();
        loops.Dispose();
        loops.Dispose();

        Assert.Throws<ObjectDisposedException>(() => loops.Next());
        using var other = new EventLoops();
        Assert.NotNull(other.Next());
    }

    /// <summary>Also where the number of the loop's own descriptor is another loop's by then, in which the connection would wait for ever.</summary>
    [Fact]
    public async Task ConnectionForALoopThatHasEndedIsRefused()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        for (int round = 0; round < 20; round++)
        {
            var ended = new EventLoop(0);
            ended.Dispose();
            List<EventLoop> others = [.. Enumerable.Range(0, 8).Select(static number => new EventLoop(number))];

            await Assert.ThrowsAsync<IOException>(async () =>
            {
                while (true) // the loop ends on its own thread
                {
                    Connection made = await EpollConnect.ConnectAsync((IPEndPoint)listener.LocalEndpoint, ended, CancellationToken.None).Soon();
                    made.Close(reset: true);
                    using Socket peer = await listener.AcceptSocketAsync().Soon(); // many may come before the end, and the queue has room for some thousand
                }
            });
            others.ForEach(static other => other.Dispose());
        }
    }

    [Fact]
    public async Task WhatWaitsWhenItsLoopEndsFindsTheEnd()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        var loop = new EventLoop(0);
        Connection made = await EpollConnect.ConnectAsync((IPEndPoint)listener.LocalEndpoint, loop, CancellationToken.None).Soon();
        using Socket peer = await listener.AcceptSocketAsync();
        ValueTask<ReadResult> waiting = made.Input.ReadAsync();
        loop.Dispose();

        Assert.True((await waiting.Soon()).IsCompleted);
        made.Close(reset: false);
        Assert.Equal(0, await peer.ReceiveAsync(new byte[1]).Soon());
    }

    /// <summary>The number of a listening socket that was closed is soon another's, whose connections are not to be taken.</summary>
    [Fact]
    public async Task ListenerThatIsDisposedTakesNoConnectionOfTheNextOne()
    {
        using var network = new NetworkStack();
        for (int round = 0; round < 300; round++)
        {
            Listener first = network.Bind(new IPEndPoint(IPAddress.Loopback, 0));
            Task<int> accepting = Task.Run(() => AcceptAllAsync(first));
            using Socket early = Connect(first);
            first.Dispose();

            using var next = new TcpListener(IPAddress.Loopback, 0);
            next.Start();
            using var client = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
            client.Connect(next.LocalEndpoint);

            using Socket accepted = await next.AcceptSocketAsync().Soon();
            Assert.InRange(await accepting.Soon(), 0, 1);
        }
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task UrgentDataAreBytesInTheirPlace(bool portable)
    {
        using var network = new NetworkStack(portable);
        using Listener listener = network.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        using Socket peer = Connect(listener);
        Connection connection = (await listener.AcceptAsync().Soon())!;

        peer.Send("a"u8);
        peer.Send("u"u8, SocketFlags.OutOfBand);
        peer.Send("z"u8);
        peer.Shutdown(SocketShutdown.Send);

        string text = "";
        ReadResult read;
        do
        {
            read = await connection.Input.ReadAsync().Soon();
            text += Heads.Text(System.Buffers.BuffersExtensions.ToArray(read.Buffer));
            connection.Input.AdvanceTo(read.Buffer.End);
        }
        while (!read.IsCompleted);

        Assert.Equal("auz", text);
        connection.Close(reset: false);
    }

    [Fact]
    public void HeartbeatOfTheSystemsClockIsShared()
    {
        using Heartbeat one = Heartbeat.Share(TimeProvider.System);
        using Heartbeat other = Heartbeat.Share(TimeProvider.System);

        Assert.Same(one, other);
    }

    /// <summary>Accepts one, holds the loop until all others are there, and accepts those.</summary>
    /// <returns>The most that came one after the other without a turn for the loop's others.</returns>
    private static async Task<int> AcceptAsync(Listener listener, List<Connection> accepted, int count, ManualResetEventSlim areAllThere)
    {
        accepted.Add((await listener.AcceptAsync().ConfigureAwait(false))!);
        areAllThere.Wait(Patience.Limit);
        int most = 0;
        int row = 0;
        for (int i = 0; i < count; i++)
        {
            ValueTask<Connection?> accepting = listener.AcceptAsync();
            row = accepting.IsCompleted ? row + 1 : 1;
            most = Math.Max(most, row);
            accepted.Add((await accepting.ConfigureAwait(false))!);
        }

        return most;
    }

    /// <summary>Accepts until the listener is disposed.</summary>
    /// <returns>How many came.</returns>
    private static async Task<int> AcceptAllAsync(Listener listener)
    {
        int count = 0;
        while (await listener.AcceptAsync().ConfigureAwait(false) is { } connection)
        {
            connection.Close(reset: true);
            count++;
        }

        return count;
    }

    private static Socket Connect(Listener listener)
    {
        var peer = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        peer.Connect(listener.LocalEndPoint);
        return peer;
    }

    /// <summary>A descriptor of nothing, for a table of its own.</summary>
    private sealed class NoSocket(EventLoop loop) : IEpollMember
    {
        private EpollDescriptor _nothing = new(-1, loop, isAccepted: false);

        public ref EpollDescriptor Descriptor => ref _nothing;

        public void OnEvents(uint flags)
        {
        }

        public void OnLoopEnded()
        {
        }
    }
}
