using System.Collections.Concurrent;
using System.Net;
using System.Text.Json;
using System.Threading.Channels;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace McpProxyFast.Cli.Tests.Tunnels;

/// <summary>The control plane of a hosted tunnel, as far as its protocol says: it hands out commands and takes answers, and fails as it is told to.</summary>
public sealed class StandInControlPlane : IAsyncDisposable
{
    private readonly WebApplication _app;
    private readonly Channel<string> _polls = Channel.CreateUnbounded<string>();
    private readonly Channel<Posted> _posted = Channel.CreateUnbounded<Posted>();
    private readonly ConcurrentQueue<Func<HttpContext, Task>> _pollFailures = new();
    private readonly ConcurrentQueue<Func<HttpContext, Task>> _postFailures = new();

    private StandInControlPlane(WebApplication app) => _app = app;

    /// <summary>Where it is, with its slash.</summary>
    public string Address { get; private set; } = "";

    /// <summary>What the tunnel's metadata are answered with.</summary>
    public int MetadataStatus { get; set; } = 200;

    /// <summary>The requests for commands, with their queries.</summary>
    public ConcurrentQueue<string> Polls { get; } = new();

    /// <summary>The fields of the last request for commands.</summary>
    public IHeaderDictionary PollFields { get; private set; } = new HeaderDictionary();

    /// <summary>Every answer that was posted, also those that were refused.</summary>
    public ConcurrentQueue<Posted> AllPosted { get; } = new();

    /// <summary>An answer, as it came.</summary>
    public sealed record Posted(string ShardToken, string Body, TimeSpan At)
    {
        public JsonElement Json { get; } = JsonDocument.Parse(Body, new JsonDocumentOptions { MaxDepth = 256 }).RootElement.Clone();

        public string Type => Json.GetProperty("resp_type").GetString()!;

        public int Code => Json.GetProperty("resp_code").GetInt32();

        public string Answer => Json.TryGetProperty("resp_json", out JsonElement json) ? json.GetRawText() : "";

        /// <summary>What <c>data.tunnel_failure</c> says.</summary>
        public string Failure => Json.GetProperty("resp_json").GetProperty("error").GetProperty("data").GetProperty("tunnel_failure").GetRawText();
    }

    public static async Task<StandInControlPlane> StartAsync()
    {
        WebApplicationBuilder builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.ConfigureKestrel(kestrel => kestrel.Listen(IPAddress.Loopback, 0));
        var plane = new StandInControlPlane(builder.Build());
        plane._app.MapGet("/v1/tunnels/tunnel_1", plane.MetadataAsync);
        plane._app.MapGet("/v1/tunnels/tunnel_1/poll", plane.PollAsync);
        plane._app.MapPost("/v1/tunnels/tunnel_1/response", plane.PostAsync);
        await plane._app.StartAsync();
        plane.Address = plane._app.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses.Single();
        return plane;
    }

    /// <summary>Hands the commands out, in one response.</summary>
    public void Give(params string[] commands) => _polls.Writer.TryWrite($$$"""{"commands":[{{{string.Join(',', commands)}}}],"unknown":{}}""");

    /// <summary>Hands out what is not a list of commands.</summary>
    public void GiveRaw(string body) => _polls.Writer.TryWrite(body);

    /// <summary>The next polls fail like that.</summary>
    public void FailPolls(params Func<HttpContext, Task>[] failures) => Array.ForEach(failures, _pollFailures.Enqueue);

    /// <summary>The next answers fail like that.</summary>
    public void FailPosts(params Func<HttpContext, Task>[] failures) => Array.ForEach(failures, _postFailures.Enqueue);

    /// <summary>A status, and no more.</summary>
    public static Func<HttpContext, Task> Status(int status, string? retryAfter = null) => context =>
    {
        context.Response.StatusCode = status;
        if (retryAfter is not null)
        {
            context.Response.Headers.RetryAfter = retryAfter;
        }

        return Task.CompletedTask;
    };

    /// <summary>The connection ends without a response.</summary>
    public static Func<HttpContext, Task> Cut() => context =>
    {
        context.Abort();
        return Task.CompletedTask;
    };

    /// <summary>The next answer that was taken.</summary>
    public Task<Posted> AnswerAsync() => _posted.Reader.ReadAsync().Soon();

    /// <summary>Waits until it has been polled that often.</summary>
    public Task PolledAsync(int times) => Patience.UntilAsync(() => Polls.Count >= times, "It is not polled.");

    public async ValueTask DisposeAsync()
    {
        _polls.Writer.TryComplete();
        await _app.DisposeAsync();
    }

    private static bool IsAllowed(HttpContext context) => context.Request.Headers.Authorization == "Bearer sk-hunter2"
        && context.Request.Headers["X-Tunnel-Client-Name"] == "mcpproxyfast"
        && context.Request.Headers["X-Tunnel-Client-Version"].Count == 1
        && context.Request.Headers["X-Tunnel-Client-Instance-Id"].Count == 1;

    private async Task MetadataAsync(HttpContext context)
    {
        context.Response.StatusCode = IsAllowed(context) ? MetadataStatus : 401;
        await context.Response.WriteAsync("""{"id":"tunnel_1","name":"test"}""");
    }

    private async Task PollAsync(HttpContext context)
    {
        PollFields = context.Request.Headers;
        Polls.Enqueue(context.Request.QueryString.Value ?? ""); // last: whoever has seen it may look at its fields
        if (!IsAllowed(context))
        {
            context.Response.StatusCode = 401;
            return;
        }

        if (_pollFailures.TryDequeue(out Func<HttpContext, Task>? fail))
        {
            await fail(context);
            return;
        }

        try
        {
            string body = await _polls.Reader.ReadAsync(context.RequestAborted);
            context.Response.ContentType = "application/json";
            await context.Response.WriteAsync(body);
        }
        catch (Exception e) when (e is OperationCanceledException or ChannelClosedException)
        {
            context.Response.StatusCode = 204;
        }
    }

    private async Task PostAsync(HttpContext context)
    {
        using var reader = new StreamReader(context.Request.Body);
        var posted = new Posted(context.Request.Headers["X-Tunnel-Shard-Token"].Single()!, await reader.ReadToEndAsync(), TimeSpan.FromMilliseconds(Environment.TickCount64));
        AllPosted.Enqueue(posted);
        if (_postFailures.TryDequeue(out Func<HttpContext, Task>? fail))
        {
            await fail(context);
            return;
        }

        _posted.Writer.TryWrite(posted);
        await context.Response.WriteAsync("""{"status":"ok"}""");
    }
}
