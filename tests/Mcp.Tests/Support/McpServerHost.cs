using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using ModelContextProtocol.AspNetCore;
using ModelContextProtocol.Protocol;

namespace McpProxyFast.Mcp.Tests.Support;

/// <summary>A real MCP server: the official SDK on Kestrel, on a port chosen by the system.</summary>
public sealed class McpServerHost : IAsyncDisposable
{
    private readonly WebApplication _app;

    private McpServerHost(WebApplication app) => _app = app;

    public Uri Address => new(_app.Urls.Single());

    public Journal Journal => _app.Services.GetRequiredService<Journal>();

    public static async Task<McpServerHost> StartAsync(HttpServerSessionMode mode)
    {
        WebApplicationBuilder builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.UseUrls("http://127.0.0.1:0");
        builder.Services.AddSingleton<Journal>().AddSingleton<Resumption>();
        AddMcp(builder.Services, mode);

        WebApplication app = builder.Build();
        app.Use(RecordAsync);
        app.MapMcp("/mcp");
        await app.StartAsync();
        return new McpServerHost(app);
    }

    public async ValueTask DisposeAsync()
    {
        await _app.StopAsync(new CancellationToken(canceled: true));
        await _app.DisposeAsync();
    }

    private static void AddMcp(IServiceCollection services, HttpServerSessionMode mode)
    {
        // The store gives every event an id and keeps it, so that a stream can be resumed.
        bool stateful = mode != HttpServerSessionMode.Stateless;
        IMcpServerBuilder mcp = services.AddMcpServer().WithHttpTransport(options =>
        {
            options.SessionMode = mode;
            options.EnableLegacySse = stateful;
        });
        if (stateful)
        {
            services.AddDistributedMemoryCache();
            mcp.WithDistributedCacheEventStreamStore();
        }

        mcp.WithTools<ServerTools>()
            .WithResources<ServerContents>()
            .WithPrompts<ServerContents>()
            .WithCompleteHandler((request, _) => ValueTask.FromResult(Complete(request.Params!)))
            .WithSubscribeToResourcesHandler((request, _) => Recorded(request.Services!, $"subscribed {request.Params!.Uri}"))
            .WithUnsubscribeFromResourcesHandler((request, _) => Recorded(request.Services!, $"unsubscribed {request.Params!.Uri}"))
            .WithSetLoggingLevelHandler((request, _) => Recorded(request.Services!, $"level {request.Params!.Level}"));
    }

    private static CompleteResult Complete(CompleteRequestParams request) =>
        new() { Completion = new Completion { Values = [request.Argument.Value + "da", request.Argument.Value + "m"], Total = 2 } };

    private static ValueTask<EmptyResult> Recorded(IServiceProvider services, string entry)
    {
        services.GetRequiredService<Journal>().Add(entry);
        return ValueTask.FromResult(new EmptyResult());
    }

    /// <summary>Records each request's method, and by which id it resumes a stream.</summary>
    private static async Task RecordAsync(HttpContext context, RequestDelegate next)
    {
        Journal journal = context.RequestServices.GetRequiredService<Journal>();
        string lastEvent = context.Request.Headers["Last-Event-ID"].ToString();
        if (lastEvent.Length == 0)
        {
            journal.Add(context.Request.Method);
        }
        else
        {
            journal.Add($"{context.Request.Method} after {lastEvent}");
            context.RequestServices.GetRequiredService<Resumption>().Ask();
        }

        await next(context);
    }
}
