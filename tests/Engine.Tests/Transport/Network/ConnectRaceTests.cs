using System.Net;
using System.Net.Sockets;
using McpProxyFast.Engine.Tests.Support;
using McpProxyFast.Transport.Network;
using Microsoft.Extensions.Time.Testing;

namespace McpProxyFast.Engine.Tests.Transport.Network;

public sealed class ConnectRaceTests : IDisposable
{
    private static readonly IPAddress Second = IPAddress.Parse("127.0.0.2");

    private readonly NetworkStack _network = new();
    private readonly TcpListener _listener = new(IPAddress.Loopback, 0);

    public ConnectRaceTests() => _listener.Start();

    public void Dispose()
    {
        _listener.Dispose();
        _network.Dispose();
    }

    /// <summary>An attempt may end at any moment, also between two looks of the race: here while it reads the clock.</summary>
    [Fact]
    public async Task AttemptThatConnectsBetweenTwoLooksWins()
    {
        var clock = new StoppingClock();
        int begun = 0;
        var race = new ConnectRace(
            (address, losing) =>
            {
                begun++;
                ConnectAttempt attempt = Begin(address, losing);
                clock.OnRead = () => Await(attempt.Ended);
                return attempt;
            },
            askAnew: null,
            clock);

        ConnectAttempt? winner = await race.RunAsync([IPAddress.Loopback, Second], CancellationToken.None).Soon();

        Assert.NotNull(winner?.Connection);
        Assert.Equal(1, begun);
        winner.Connection.Close(reset: false);
    }

    [Fact]
    public async Task NextAddressIsTried300MillisecondsAfterTheLastOneHasBegun()
    {
        using var dead = new FullListener();
        var clock = new FakeTimeProvider();
        int begun = 0;
        var race = new ConnectRace(
            (_, losing) => begun++ == 0
                ? ConnectAttempt.Start(new IPEndPoint(IPAddress.Loopback, dead.Port), _network, tls: null, affinity: null, clock, losing)
                : Begin(IPAddress.Loopback, losing),
            askAnew: null,
            clock);

        Task<ConnectAttempt?> running = race.RunAsync([IPAddress.Loopback, Second], CancellationToken.None);
        clock.Advance(TimeSpan.FromMilliseconds(299));
        Assert.Equal(1, begun);
        clock.Advance(TimeSpan.FromMilliseconds(1));

        (await running.Soon())!.Connection!.Close(reset: false);
        Assert.Equal(2, begun);
    }

    [Fact]
    public async Task NameIsAskedForOnceMoreWhereEveryAddressHasFailed()
    {
        int asked = 0;
        var race = new ConnectRace(
            Begin,
            _ =>
            {
                asked++;
                return Task.FromResult<NameAnswer?>(new NameAnswer([Second, IPAddress.Loopback], 0, null));
            },
            TimeProvider.System);

        ConnectAttempt? winner = await race.RunAsync([Second], CancellationToken.None).Soon();

        Assert.Equal(IPAddress.Loopback, winner?.Address.Address);
        Assert.Equal([Second, IPAddress.Loopback], race.Attempts.Select(attempt => attempt.Address.Address)); // each once
        Assert.Equal(1, asked);
        winner!.Connection!.Close(reset: false);
    }

    /// <summary>It may have connected before it has seen that it has lost.</summary>
    [Fact]
    public async Task LoserThatConnectsAllTheSameIsGivenBack()
    {
        ConnectAttempt loser = Begin(IPAddress.Loopback, CancellationToken.None);
        await loser.GiveBackAsync().Soon();
        await loser.Connection!.Closed.Soon();
    }

    private ConnectAttempt Begin(IPAddress address, CancellationToken cancel) => ConnectAttempt.Start(
        new IPEndPoint(address, ((IPEndPoint)_listener.LocalEndpoint).Port), _network, tls: null, affinity: null, TimeProvider.System, cancel);

    private static void Await(Task task) => ((IAsyncResult)task).AsyncWaitHandle.WaitOne(Patience.Limit);

    /// <summary>Stops whoever reads it until something has happened.</summary>
    private sealed class StoppingClock : TimeProvider
    {
        public Action OnRead { get; set; } = static () => { };

        public override long GetTimestamp()
        {
            OnRead();
            return System.GetTimestamp();
        }
    }
}
