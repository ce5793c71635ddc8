using McpProxyFast.Wire.Tests.Support;

namespace McpProxyFast.Wire.Tests;

/// <summary>Stopping: running exchanges finish, no other begins; an abort ends everything now.</summary>
public sealed class DrainTests
{
    [Theory, OverEvery]
    public async Task RunningExchangeFinishesAndItsConnectionCloses(Over over)
    {
        await using var host = new WireHost(over);
        (RawPeer client, RawPeer upstream) = await host.SendAsync(Messages.Get);
        RawPeer idle = await host.ConnectAsync();
        host.Stop();
        Assert.Equal("", await idle.ReadToEndAsync()); // its end shows that the drain has begun
        await upstream.SendAsync(Messages.Ok);
        StrictMessage answer = await client.ReadResponseAsync();
        Assert.Equal(("ok", "close"), (answer.Body, answer.Field("Connection")));
        Assert.Equal("", await client.ReadToEndAsync());
        Assert.True(client.Ended);
        await host.Running.Soon();
        await host.ServedAsync();
    }

    [Theory, OverEvery]
    public async Task IdleConnectionIsClosedAtOnce(Over over)
    {
        await using var host = new WireHost(over);
        (RawPeer client, _) = await host.ServeOneAsync();
        host.Stop();
        Assert.Equal("", await client.ReadToEndAsync());
        Assert.True(client.Ended);
        await host.Running.Soon();
        await host.ServedAsync();
    }

    [Theory, OverEvery]
    public async Task RunningStreamFinishes(Over over)
    {
        await using var host = new WireHost(over);
        (RawPeer client, RawPeer upstream) = await host.BeginAnswerAsync(Messages.StreamHead, "\r\n\r\n");
        host.Stop();
        await upstream.SendAsync("2\r\nhi\r\n0\r\n\r\n");
        Assert.Equal("2\r\nhi\r\n0\r\n\r\n", await client.ReadThroughAsync("0\r\n\r\n"));
        Assert.Equal("", await client.ReadToEndAsync());
        Assert.True(client.Ended);
    }

    [Theory, OverEvery]
    public async Task AbortCutsAStreamAndItsUpstream(Over over)
    {
        await using var host = new WireHost(over);
        (RawPeer client, RawPeer upstream) = await host.BeginAnswerAsync(Messages.StreamHead, "\r\n\r\n");
        host.Proxy.Abort();
        Assert.Equal("", await upstream.ReadToEndAsync());
        Assert.Equal("", await client.ReadToEndAsync());
        Assert.Equal(ExchangeEnd.Cut, (await host.Reports.NextAsync()).End);
        await host.Running.Soon();
        await host.ServedAsync();
    }

    [Theory, OverEvery]
    public async Task AbortEndsAnIdleConnection(Over over)
    {
        await using var host = new WireHost(over);
        RawPeer client = await host.ConnectAsync();
        await client.SendAsync(Messages.GetOf("/health"));
        await client.ReadResponseAsync();
        host.Proxy.Abort();
        Assert.Equal("", await client.ReadToEndAsync());
        await host.ServedAsync();
    }
}
