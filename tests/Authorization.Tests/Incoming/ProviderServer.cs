using System.Collections.Concurrent;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;

namespace McpProxyFast.Authorization.Tests.Incoming;

/// <summary>An identity provider over a real socket that answers as the test says, well or badly.</summary>
internal sealed class ProviderServer : IAsyncDisposable
{
    private readonly WebApplication _app;
    private readonly ConcurrentDictionary<string, RequestDelegate> _answers = new();
    private readonly ConcurrentQueue<string> _asked = new();

    private ProviderServer(WebApplication app) => _app = app;

    public string Url { get; private set; } = "";

    public static async Task<ProviderServer> StartAsync(int port = 0)
    {
        WebApplicationBuilder builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.UseUrls($"http://127.0.0.1:{port}");
        WebApplication app = builder.Build();
        var server = new ProviderServer(app);
        app.Run(server.AnswerAsync);
        await app.StartAsync();
        server.Url = app.Urls.Single();
        return server;
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

    public async ValueTask DisposeAsync() => await _app.DisposeAsync();

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
