using System.Collections.Concurrent;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;

namespace McpProxyFast.Authorization.Tests.Incoming;

/// <summary>An identity provider over a real socket that answers as the test says, well or badly.</summary>
internal sealed class ProviderServer : IAsyncDisposable
{
    private readonly ConcurrentDictionary<string, RequestDelegate> _answers = new();
    private readonly ConcurrentQueue<string> _asked = new();
    private readonly HeldPort _port = new();
    private WebApplication? _app;

    private ProviderServer() => Url = $"http://127.0.0.1:{_port.Number}";

    public string Url { get; private set; }

    public static async Task<ProviderServer> StartAsync()
    {
        var server = new ProviderServer();
        await server.RestartAsync();
        return server;
    }

    /// <summary>Comes up, at the same address as before.</summary>
    public async Task RestartAsync()
    {
        WebApplicationBuilder builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.UseUrls(Url);
        builder.WebHost.UseShutdownTimeout(TimeSpan.Zero);
        _app = builder.Build();
        _app.Run(AnswerAsync);
        await _app.StartAsync();
        Url = _app.Urls.Single();
    }

    /// <summary>Goes down: connections are refused.</summary>
    public async Task StopAsync()
    {
        if (_app is not null)
        {
            await _app.DisposeAsync();
            _app = null;
        }
    }

    /// <summary>Publishes keys under this issuer, found by OpenID Connect Discovery.</summary>
    public void Publish(params TestKey[] keys)
    {
        Answer("/.well-known/openid-configuration", $$"""{"issuer":"{{Url}}","jwks_uri":"{{Url}}/keys"}""");
        Answer("/keys", TestKey.SetOf(keys));
    }

    public void Answer(string path, string body, int status = 200, string type = "application/json") =>
        Answer(path, async context =>
        {
            context.Response.StatusCode = status;
            context.Response.ContentType = type;
            await context.Response.WriteAsync(body);
        });

    public void Answer(string path, RequestDelegate answer) => _answers[path] = answer;

    public int TimesAsked(string path) => _asked.Count(asked => asked == path);

    public async ValueTask DisposeAsync()
    {
        await StopAsync();
        _port.Dispose();
    }

    private Task AnswerAsync(HttpContext context)
    {
        string path = context.Request.Path.Value!;
        _asked.Enqueue(path);
        if (_answers.TryGetValue(path, out RequestDelegate? answer))
        {
            return answer(context);
        }

        context.Response.StatusCode = 404;
        return Task.CompletedTask;
    }
}
