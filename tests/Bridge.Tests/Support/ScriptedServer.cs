using System.Collections.Concurrent;
using System.Text;
using System.Text.Json.Nodes;
using McpProxyFast.Mcp.Tests.Support;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.Logging;

namespace McpProxyFast.Bridge.Tests.Support;

/// <summary>An HTTP server that answers as a test wants; it can be stopped and started again at its address.</summary>
internal sealed class ScriptedServer : IAsyncDisposable
{
    private readonly Func<Exchange, Task> _answer;
    private readonly HeldPort _held = new();
    private WebApplication? _app;
    private int _port;

    private ScriptedServer(Func<Exchange, Task> answer) => (_answer, _port) = (answer, _held.Number);

    public Uri Address => new($"http://127.0.0.1:{_port}/mcp");

    /// <summary>Every request, in the order of arrival: method, and the JSON-RPC method where there is one.</summary>
    public Journal Journal { get; } = new();

    /// <summary>The requests that have come.</summary>
    public ConcurrentQueue<Exchange> Seen { get; } = new();

    public static async Task<ScriptedServer> StartAsync(Func<Exchange, Task> answer)
    {
        var server = new ScriptedServer(answer);
        await server.StartAsync();
        return server;
    }

    /// <summary>One that answers handshakes, has a session, and leaves other requests to the test.</summary>
    public static Task<ScriptedServer> StartWithHandshakeAsync(Func<Exchange, Task> answer) => StartAsync(exchange => exchange switch
    {
        { Method: "initialize" } => exchange.WelcomeAsync(),
        { Verb: "POST", Id: null } => exchange.StatusAsync(202),
        { Verb: "DELETE" } => exchange.StatusAsync(200),
        _ => answer(exchange),
    });

    /// <summary>One of 2026-07-28 alone, without changes to tell of, that leaves other requests to the test.</summary>
    public static Task<ScriptedServer> StartModernAsync(Func<Exchange, Task> answer) => StartAsync(exchange => exchange switch
    {
        { Method: "initialize" } => exchange.JsonAsync("""{"jsonrpc":"2.0","id":"hand","error":{"code":-32601,"message":"no"}}""", 404),
        { Method: "server/discover", Id: { } id } => exchange.JsonAsync(
            $$"""{"jsonrpc":"2.0","id":{{id}},"result":""" + """{"resultType":"complete","supportedVersions":["2026-07-28"],"capabilities":{"tools":{}}}}"""),
        _ => answer(exchange),
    });

    /// <summary>Starts it again at its address.</summary>
    public async Task StartAsync()
    {
        WebApplicationBuilder builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.ConfigureKestrel(kestrel => kestrel.Limits.MaxRequestBodySize = null);
        builder.WebHost.UseUrls($"http://127.0.0.1:{_port}");
        WebApplication app = builder.Build();
        app.Run(AnswerAsync);
        await app.StartAsync();
        _port = new Uri(app.Urls.Single()).Port;
        _app = app;
    }

    /// <summary>Kills it: every connection is cut.</summary>
    public async Task StopAsync()
    {
        if (_app is { } app)
        {
            _app = null;
            await app.StopAsync(new CancellationToken(canceled: true));
            await app.DisposeAsync();
        }
    }

    public async ValueTask DisposeAsync()
    {
        await StopAsync();
        _held.Dispose();
    }

    private async Task AnswerAsync(HttpContext context)
    {
        Exchange exchange = await Exchange.ReadAsync(context);
        Seen.Enqueue(exchange);
        Journal.Add($"{context.Request.Method} {exchange.Method}".TrimEnd());
        await _answer(exchange);
    }
}

/// <summary>One request to the server, and its answer.</summary>
internal sealed class Exchange
{
    public required HttpContext Http { get; init; }

    /// <summary>The body, byte for byte.</summary>
    public required string Body { get; init; }

    public JsonNode? Json { get; init; }

    /// <summary>The JSON-RPC method; empty for none.</summary>
    public string Method => Json is JsonObject message && message["method"] is { } method ? method.GetValue<string>() : "";

    /// <summary>The raw id; null for none.</summary>
    public string? Id => Json is JsonObject message && message["method"] is not null ? message["id"]?.ToJsonString() : null;

    /// <summary>The HTTP method.</summary>
    public required string Verb { get; init; }

    public required string Path { get; init; }

    public required string Query { get; init; }

    /// <summary>The field lines, kept beyond the exchange.</summary>
    private Dictionary<string, string> Fields { get; init; } = [];

    public string Field(string name) => Fields.GetValueOrDefault(name, "");

    public static async Task<Exchange> ReadAsync(HttpContext context)
    {
        using var reader = new StreamReader(context.Request.Body, Encoding.UTF8);
        string body = await reader.ReadToEndAsync();
        return new Exchange
        {
            Http = context,
            Verb = context.Request.Method,
            Path = context.Request.Path,
            Query = context.Request.QueryString.ToString(),
            Fields = context.Request.Headers.ToDictionary(field => field.Key, field => field.Value.ToString(), StringComparer.OrdinalIgnoreCase),
            Body = body,
            Json = body.Length is > 0 and < 1024 * 1024 ? JsonNode.Parse(body) : null,
        };
    }

    public Task WelcomeAsync(string session = "s1", string version = "2025-11-25")
    {
        Http.Response.Headers["Mcp-Session-Id"] = session;
        return JsonAsync(Lines.Welcome(version));
    }

    public Task StatusAsync(int status)
    {
        Http.Response.StatusCode = status;
        return Task.CompletedTask;
    }

    public async Task JsonAsync(string message, int status = 200)
    {
        Http.Response.StatusCode = status;
        Http.Response.ContentType = "application/json";
        await Http.Response.WriteAsync(message);
    }

    /// <summary>Answers with events, and ends the stream.</summary>
    public async Task EventsAsync(params string[] events)
    {
        if (!Http.Response.HasStarted)
        {
            Http.Response.ContentType = "text/event-stream";
        }

        foreach (string each in events)
        {
            await Http.Response.WriteAsync(each);
            await Http.Response.Body.FlushAsync();
        }
    }

    /// <summary>Keeps the exchange open until the client closes it.</summary>
    /// <param name="begins">Whether the head of a response goes out.</param>
    public async Task HoldAsync(bool begins = true)
    {
        await (begins ? Http.Response.Body.FlushAsync() : Task.CompletedTask);
        var closed = new TaskCompletionSource();
        await using CancellationTokenRegistration registration = Http.RequestAborted.Register(closed.SetResult);
        await closed.Task;
    }

    /// <summary>Cuts the connection.</summary>
    public Task CutAsync()
    {
        Http.Abort();
        return Task.CompletedTask;
    }
}
