using System.Net;
using System.Net.Sockets;
using McpProxyFast.Engine.Tests.Support;
using McpProxyFast.Transport.Network;
using Microsoft.Extensions.Time.Testing;

namespace McpProxyFast.Engine.Tests.Transport.Network;

public sealed class ResolverTests
{
    private static readonly IPAddress First = IPAddress.Parse("192.0.2.1");
    private static readonly IPAddress Second = IPAddress.Parse("192.0.2.2");
    private static readonly TimeSpan Step = TimeSpan.FromMilliseconds(1);

    private readonly FakeTimeProvider _clock = new();

    /// <summary>The look-ups that were started, in their order; each ends when the test says so.</summary>
    private readonly List<TaskCompletionSource<IPAddress[]>> _lookUps = [];

    private readonly Resolver _resolver;

    public ResolverTests() => _resolver = new Resolver("upstream.test", LookUp, _clock);

    [Fact]
    public async Task TwentyWhoAskAtOnceShareOneLookUp()
    {
        Task<NameAnswer>[] waiting = [.. Enumerable.Range(0, 20).Select(_ => AskAsync())];
        Assert.All(waiting, one => Assert.False(one.IsCompleted));
        _lookUps.Single().SetResult([First]);
        Assert.All(await Task.WhenAll(waiting).Soon(), answer => Assert.Equal([First], answer.Addresses));
        Assert.Single(_lookUps);
    }

    [Fact]
    public async Task LookUpThatNobodyWaitsForAnyMoreGoesOnAndIsTheNextOnes()
    {
        using var leaving = new CancellationTokenSource();
        Task<NameAnswer> gone = _resolver.ResolveAsync(leaving.Token).AsTask();
        leaving.Cancel();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => gone.Soon());
        Task<NameAnswer> next = AskAsync();
        _lookUps.Single().SetResult([First]);
        Assert.Equal([First], (await next.Soon()).Addresses);
    }

    [Fact]
    public async Task YoungAnswerIsUsedWithoutAskingAgain()
    {
        await KnowAsync(First);
        _clock.Advance(Resolver.RefreshAfter - Step);
        Assert.Equal([First], (await AskAsync().Soon()).Addresses);
        Assert.Single(_lookUps);
    }

    [Fact]
    public async Task OlderAnswerIsUsedAtOnceAndAskedAnewInTheBackground()
    {
        await KnowAsync(First);
        _clock.Advance(Resolver.RefreshAfter);
        Assert.Equal([First], (await AskAsync().Soon()).Addresses);
        Assert.Equal(2, _lookUps.Count);
        _lookUps[1].SetResult([Second]);

        // Nobody waits for the look-up, so nothing says when its answer has been taken but the answers that follow.
        await Patience.UntilAsync(async () => (await AskAsync().Soon()).Addresses.SequenceEqual([Second]));
        Assert.Equal(2, _lookUps.Count);
    }

    [Fact]
    public async Task ChangedAddressIsTakenByWhoeverAsksAfterWaitAfter()
    {
        await KnowAsync(First);
        _clock.Advance(Resolver.WaitAfter);
        Task<NameAnswer> asking = AskAsync();
        Assert.False(asking.IsCompleted);
        _lookUps[1].SetResult([Second]);
        Assert.Equal([Second], (await asking.Soon()).Addresses);
    }

    [Fact]
    public async Task SlowLookUpIsWaitedForOnlyALittleWhereThereIsAnAnswerAlready()
    {
        await KnowAsync(First);
        _clock.Advance(Resolver.WaitAfter);
        Task<NameAnswer> asking = AskAsync();
        _clock.Advance(Resolver.SoftWait - Step);
        Assert.False(asking.IsCompleted);
        _clock.Advance(Step);
        Assert.Equal([First], (await asking.Soon()).Addresses);

        // The wait is counted from the start of the look-up, so who comes later does not wait at all; and there is no second look-up.
        Assert.Equal([First], (await AskAsync().Soon()).Addresses);
        Assert.Equal(2, _lookUps.Count);
    }

    [Theory]
    [InlineData(SocketError.TryAgain)]
    [InlineData(SocketError.NoRecovery)]
    public async Task LastGoodAnswerIsUsedWhileLookUpsFail(SocketError error)
    {
        await KnowAsync(First);
        _clock.Advance(Resolver.Longest - Step);
        Task<NameAnswer> asking = AskAsync();
        _lookUps[1].SetException(new SocketException((int)error));
        Assert.Equal([First], (await asking.Soon()).Addresses);
    }

    [Fact]
    public async Task LastGoodAnswerIsNotUsedForEver()
    {
        await KnowAsync(First);
        _clock.Advance(Resolver.Longest);
        Task<NameAnswer> asking = AskAsync();
        _lookUps[1].SetException(new SocketException((int)SocketError.TryAgain));
        Assert.Empty((await asking.Soon()).Addresses);
    }

    [Fact]
    public async Task NameThatNoLongerExistsIsNotUsedAfterWaitAfter()
    {
        await KnowAsync(First);
        _clock.Advance(Resolver.WaitAfter);
        Task<NameAnswer> asking = AskAsync();
        _lookUps[1].SetException(new SocketException((int)SocketError.HostNotFound));
        Assert.Empty((await asking.Soon()).Addresses);
    }

    [Fact]
    public async Task FailedLookUpIsFollowedByAnother()
    {
        Task<NameAnswer> asking = AskAsync();
        _lookUps[0].SetException(new SocketException((int)SocketError.TryAgain));
        NameAnswer failed = await asking.Soon();
        Assert.Equal(SocketError.TryAgain, Assert.IsType<SocketException>(failed.Fault).SocketErrorCode);
        await KnowAsync(First);
        Assert.Equal(2, _lookUps.Count);
    }

    [Fact]
    public async Task LookUpThatThrowsAtOnceHasFailed()
    {
        var resolver = new Resolver("upstream.test", (_, _) => throw new ArgumentException("The name is too long."), _clock);
        Assert.IsType<ArgumentException>((await resolver.ResolveAsync(default).Soon()).Fault);
    }

    [Fact]
    public async Task AddressThatWorkedLastComesFirst()
    {
        await KnowAsync(First, Second);
        _resolver.Worked(Second);
        Assert.Equal([Second, First], (await AskAsync().Soon()).Addresses);
        _resolver.Worked(First);
        Assert.Equal([First, Second], (await AskAsync().Soon()).Addresses);
        _resolver.Worked(IPAddress.Loopback);
        Assert.Equal([First, Second], (await AskAsync().Soon()).Addresses);
    }

    [Fact]
    public async Task FamiliesTakeTurns()
    {
        IPAddress v6 = IPAddress.Parse("2001:db8::1");
        IPAddress v6Next = IPAddress.Parse("2001:db8::2");
        await KnowAsync(v6, v6Next, First);
        Assert.Equal([v6, First, v6Next], (await AskAsync().Soon()).Addresses);
    }

    [Fact]
    public async Task NoMoreThanMostAddressesAreLookedAt()
    {
        await KnowAsync([.. Enumerable.Range(0, 100).Select(i => new IPAddress([192, 0, 2, (byte)i]))]);
        Assert.Equal(Resolver.MaxAddresses, (await AskAsync().Soon()).Addresses.Length);
    }

    [Theory]
    [InlineData("127.0.0.1")]
    [InlineData("::1")]
    public async Task AddressIsItsOwnAnswer(string address)
    {
        var resolver = new Resolver(address, LookUp, _clock);
        NameAnswer answer = await resolver.ResolveAsync(default).Soon();
        Assert.Equal([IPAddress.Parse(address)], answer.Addresses);
        Assert.False(answer.IsFromBefore);
        Assert.Empty(_lookUps);
    }

    private Task<IPAddress[]> LookUp(string name, CancellationToken cancel)
    {
        Assert.Equal("upstream.test", name);
        Assert.All(_lookUps, earlier => Assert.True(earlier.Task.IsCompleted, "A second look-up was started."));
        var started = new TaskCompletionSource<IPAddress[]>();
        _lookUps.Add(started);
        return started.Task;
    }

    private Task<NameAnswer> AskAsync() => _resolver.ResolveAsync(CancellationToken.None).AsTask();

    private async Task KnowAsync(params IPAddress[] addresses)
    {
        Task<NameAnswer> asking = AskAsync();
        _lookUps[^1].SetResult(addresses);
        await asking.Soon();
    }
}
