using System.Collections.Concurrent;
using System.Net;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;

namespace McpProxyFast.Cli.Tests.Support;

/// <summary>A server that takes every request, remembers its fields, and answers as a test says.</summary>
internal sealed class OpenUpstream : IAsyncDisposable
{
    private readonly WebApplication _app;

    private OpenUpstream(WebApplication app) => _app = app;

    public string Origin => _app.Urls.First();

    /// <summary>The fields of each request, in the order in which they came.</summary>
    public ConcurrentQueue<IReadOnlyDictionary<string, string>> Requests { get; } = new();

    /// <summary>Says whether a request is answered with 200, by its fields.</summary>
    public Func<IReadOnlyDictionary<string, string>, bool> Accepts { get; set; } = _ => true;

    public static async Task<OpenUpstream> StartAsync()
    {
        WebApplicationBuilder builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.UseUrls("http://127.0.0.1:0");
        WebApplication app = builder.Build();
        var upstream = new OpenUpstream(app);
        app.Run(upstream.AnswerAsync);
        await app.StartAsync();
        return upstream;
    }

    public ValueTask DisposeAsync() => _app.DisposeAsync();

    private Task AnswerAsync(HttpContext http)
    {
        Dictionary<string, string> fields = http.Request.Headers.ToDictionary(field => field.Key, field => field.Value.ToString(), StringComparer.OrdinalIgnoreCase);
        Requests.Enqueue(fields);
        http.Response.StatusCode = (int)(Accepts(fields) ? HttpStatusCode.OK : HttpStatusCode.Forbidden);
        return http.Response.WriteAsync("ok");
    }
}
