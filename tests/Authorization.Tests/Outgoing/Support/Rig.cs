using System.Net;
using System.Text.Json.Nodes;
using McpProxyFast.Credentials;

namespace McpProxyFast.Authorization.Tests.Outgoing.Support;

/// <summary>A scripted server, a person with a browser, a clock, and a proxy in front.</summary>
internal sealed class Rig : IAsyncDisposable
{
    private readonly HttpClient _client = new();
    private readonly List<IAsyncDisposable> _parts = [];

    private Rig(SignInServer server, SettableClock clock)
    {
        Server = server;
        Clock = clock;
    }

    public static OAuthGrant.AuthorizationCode WithBrowser { get; } = new() { SkipBrowser = true, CallbackPort = 0 };

    public static OAuthPolicy Policy { get; } = OutgoingPolicy.OAuth() with { Grant = WithBrowser };

    public SignInServer Server { get; }

    public SettableClock Clock { get; }

    public Browser Browser { get; } = new();

    public UpstreamCredentials Source { get; private set; } = null!;

    public static async Task<Rig> StartAsync()
    {
        var clock = new SettableClock();
        return new Rig(await SignInServer.StartAsync(clock), clock);
    }

    /// <summary>Starts a proxy on the bare origin, so that the first 401 starts the sign-in, unless a target is given.</summary>
    public async Task<ForwardingProxy> ProxyAsync(OutgoingPolicy? policy = null, Uri? target = null)
    {
        Uri upstream = target ?? new Uri(Server.Origin);
        Source = UpstreamCredentials.For(policy ?? Policy, upstream, Clock, Browser);
        ForwardingProxy proxy = await ForwardingProxy.StartAsync(upstream, Source, Browser);
        _parts.Add(proxy);
        return proxy;
    }

    /// <summary>Sends a JSON-RPC request.</summary>
    /// <returns>The status and the body; of the proxy's own JSON-RPC error its message.</returns>
    public async Task<(int Status, string Body)> AskAsync(ForwardingProxy proxy)
    {
        using HttpResponseMessage response = await SendAsync(proxy);
        string body = await response.Content.ReadAsStringAsync();
        return ((int)response.StatusCode, response.StatusCode is HttpStatusCode.ServiceUnavailable ? (string)JsonNode.Parse(body)!["error"]!["message"]! : body);
    }

    /// <summary>As <see cref="AskAsync"/>, with the whole answer.</summary>
    public Task<HttpResponseMessage> SendAsync(ForwardingProxy proxy, params (string Name, string Value)[] fields)
    {
        var content = new StringContent("""{"jsonrpc":"2.0","id":"a-7","method":"tools/list"}""");
        foreach ((string name, string value) in fields)
        {
            content.Headers.TryAddWithoutValidation(name, value);
        }

        return _client.PostAsync(new Uri(proxy.Address, "/mcp"), content);
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
}
