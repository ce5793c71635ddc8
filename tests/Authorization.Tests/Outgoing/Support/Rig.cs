using McpProxyFast.Credentials;
using Microsoft.Extensions.Time.Testing;

namespace McpProxyFast.Authorization.Tests.Outgoing.Support;

/// <summary>A scripted server, a person with a browser, a clock, and a proxy in front.</summary>
internal sealed class Rig : IAsyncDisposable
{
    private readonly HttpClient _client = new();
    private readonly List<IAsyncDisposable> _parts = [];

    private Rig(ScriptedServer server, FakeTimeProvider clock)
    {
        Server = server;
        Clock = clock;
    }

    public static OutgoingPolicy Policy { get; } = OutgoingPolicy.OAuth() with { SkipBrowser = true, CallbackPort = 0 };

    public ScriptedServer Server { get; }

    public FakeTimeProvider Clock { get; }

    public Browser Browser { get; } = new();

    public CredentialSource Source { get; private set; } = null!;

    public static async Task<Rig> StartAsync()
    {
        var clock = new FakeTimeProvider(DateTimeOffset.UtcNow);
        return new Rig(await ScriptedServer.StartAsync(clock), clock);
    }

    /// <summary>Starts a proxy on the bare origin, so that the first 401 starts the sign-in, unless a target is given.</summary>
    public async Task<ForwardingProxy> ProxyAsync(OutgoingPolicy? policy = null, Uri? target = null)
    {
        Uri upstream = target ?? new Uri(Server.Origin);
        Source = CredentialSource.For(policy ?? Policy, upstream, Clock, Browser);
        ForwardingProxy proxy = await ForwardingProxy.StartAsync(upstream, Source);
        _parts.Add(proxy);
        return proxy;
    }

    public async Task<(int Status, string Body)> AskAsync(ForwardingProxy proxy)
    {
        using HttpResponseMessage response = await _client.PostAsync(new Uri(proxy.Address, "/mcp"), new StringContent("{}"));
        return ((int)response.StatusCode, await response.Content.ReadAsStringAsync());
    }

    public async Task DisposeProxiesAsync()
    {
        foreach (IAsyncDisposable part in _parts)
        {
            await part.DisposeAsync();
        }

        _parts.Clear();
    }

    public async ValueTask DisposeAsync()
    {
        await DisposeProxiesAsync();
        await Server.DisposeAsync();
        _client.Dispose();
        Browser.Dispose();
    }

    /// <summary>Waits for something that happens without anybody waiting for it, such as a renewal ahead of time.</summary>
    public static async Task UntilAsync(Func<bool> happened)
    {
        using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(30));
        while (!happened())
        {
            await Task.Delay(2, patience.Token);
        }
    }
}
