using System.Collections.Concurrent;
using System.Diagnostics.Metrics;
using System.Net;
using System.Text.Json.Nodes;
using McpProxyFast.Authorization.Tests.Outgoing.Support;
using McpProxyFast.Credentials;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;

namespace McpProxyFast.Authorization.Tests.Exchange;

/// <summary>One request to exchange a token, as the server has read it.</summary>
internal sealed record ExchangeRequest(IReadOnlyDictionary<string, string[]> Form, string Authorization)
{
    public string this[string name] => Form.TryGetValue(name, out string[]? values) ? string.Join(' ', values) : "";
}

/// <summary>An authorization server that exchanges tokens until a test makes it do otherwise, an upstream that notes what it is sent, and a clock.</summary>
internal sealed class ExchangeRig : IAsyncDisposable
{
    private readonly WebApplication _app;
    private readonly HttpClient _client = new();
    private readonly List<IAsyncDisposable> _proxies = [];
    private int _issued;

    private ExchangeRig(WebApplication app) => _app = app;

    public string Origin => _app.Urls.First();

    public Uri Target => new($"{Origin}/mcp");

    public TokenExchangePolicy Policy => new(new Uri($"{Origin}/token"));

    public SettableClock Clock { get; } = new();

    public Browser Log { get; } = new();

    /// <summary>How long the tokens live; null where the answer does not say.</summary>
    public TimeSpan? Lifetime { get; set; } = TimeSpan.FromHours(1);

    /// <summary>Answers an exchange in place of the proper handler.</summary>
    public Func<HttpContext, ExchangeRequest, Task>? Answer { get; set; }

    /// <summary>Changes the answer before it is sent.</summary>
    public Action<JsonObject> EditAnswer { get; set; } = _ => { };

    /// <summary>What the upstream answers; by default 200 with the <c>Authorization</c> that it was sent.</summary>
    public RequestDelegate? Upstream { get; set; }

    public ConcurrentQueue<ExchangeRequest> Exchanges { get; } = new();

    /// <summary>The fields of each request that has reached the upstream, by lower-case name.</summary>
    public ConcurrentQueue<IReadOnlyDictionary<string, string>> Received { get; } = new();

    public static async Task<ExchangeRig> StartAsync()
    {
        WebApplicationBuilder builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.UseUrls("http://127.0.0.1:0").UseShutdownTimeout(TimeSpan.Zero);
        WebApplication app = builder.Build();
        var rig = new ExchangeRig(app);
        app.MapPost("/token", rig.ExchangeAsync);
        app.MapFallback(rig.UpstreamAsync);
        await app.StartAsync();
        return rig;
    }

    /// <summary>Starts a proxy whose tokens live by the rig's clock.</summary>
    public async Task<Uri> ProxyAsync(OutgoingPolicy? policy = null, Meter? meter = null)
    {
        UpstreamCredentials source = UpstreamCredentials.For(policy ?? Policy, Target, Clock, Log, meter: meter);
        ForwardingProxy proxy = await ForwardingProxy.StartAsync(Target, source, Log);
        _proxies.Add(proxy);
        return proxy.Address;
    }

    /// <summary>Starts a proxy as a host would, by its options.</summary>
    public Uri Serve(McpProxyOptions options)
    {
        var proxy = new McpProxy(options with { Listen = new IPEndPoint(IPAddress.Loopback, 0), Logger = Log });
        IPEndPoint bound = proxy.Bind();
        _ = proxy.RunAsync(CancellationToken.None);
        _proxies.Add(proxy);
        return new Uri($"http://{bound}");
    }

    public async Task<HttpResponseMessage> SendAsync(Uri proxy, string? authorization, CancellationToken cancellationToken = default, params (string Name, string Value)[] fields)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, new Uri(proxy, "/mcp"));
        request.Content = new StringContent("""{"jsonrpc":"2.0","id":7,"method":"tools/list"}""");
        if (authorization is not null)
        {
            request.Headers.TryAddWithoutValidation("Authorization", authorization);
        }

        foreach ((string name, string value) in fields)
        {
            request.Headers.TryAddWithoutValidation(name, value);
        }

        return await _client.SendAsync(request, cancellationToken);
    }

    /// <summary>Sends a request with this bearer token.</summary>
    /// <returns>The status and the body.</returns>
    public async Task<string> AskAsync(Uri proxy, string token)
    {
        using HttpResponseMessage response = await SendAsync(proxy, $"Bearer {token}");
        return $"{(int)response.StatusCode} {await response.Content.ReadAsStringAsync()}";
    }

    /// <summary>Asks again and again, for something that happens while nobody waits for it.</summary>
    public Task AskUntilAsync(Uri proxy, string token, Func<string, bool> isOver) =>
        Patience.UntilAsync(async () => isOver(await AskAsync(proxy, token)));

    public async ValueTask DisposeAsync()
    {
        foreach (IAsyncDisposable proxy in _proxies)
        {
            await proxy.DisposeAsync();
        }

        await _app.DisposeAsync();
        _client.Dispose();
        Log.Dispose();
    }

    /// <summary>Exchanges properly.</summary>
    public Task IssueAsync(HttpContext http, ExchangeRequest request)
    {
        string subject = request["subject_token"] is { Length: > 0 } token ? token : request["assertion"];
        var answer = new JsonObject
        {
            ["access_token"] = $"{Interlocked.Increment(ref _issued)}-for-{subject}",
            ["token_type"] = "Bearer",
            ["issued_token_type"] = "urn:ietf:params:oauth:token-type:access_token",
        };
        if (Lifetime is { } lifetime)
        {
            answer["expires_in"] = lifetime.TotalSeconds;
        }

        EditAnswer(answer);
        return SendAsync(http, 200, answer);
    }

    public static Task SendAsync(HttpContext http, int status, JsonObject answer)
    {
        http.Response.StatusCode = status;
        http.Response.ContentType = "application/json";
        return http.Response.WriteAsync(answer.ToJsonString());
    }

    /// <summary>Refuses as an authorization server does.</summary>
    public void Refuse(string error, int status = 400, Action<JsonObject>? edit = null) => Answer = (http, _) =>
    {
        var answer = new JsonObject { ["error"] = error, ["error_description"] = "what the server says of it" };
        edit?.Invoke(answer);
        return SendAsync(http, status, answer);
    };

    private async Task ExchangeAsync(HttpContext http)
    {
        IFormCollection form = await http.Request.ReadFormAsync();
        var request = new ExchangeRequest(form.ToDictionary(pair => pair.Key, pair => pair.Value.Select(value => value!).ToArray()), http.Request.Headers.Authorization.ToString());
        Exchanges.Enqueue(request);
        await (Answer ?? IssueAsync)(http, request);
    }

    private Task UpstreamAsync(HttpContext http)
    {
        Received.Enqueue(http.Request.Headers.ToDictionary(pair => pair.Key.ToLowerInvariant(), pair => pair.Value.ToString()));
        return Upstream?.Invoke(http) ?? http.Response.WriteAsync(http.Request.Headers.Authorization.ToString());
    }
}
