using System.Collections.Concurrent;
using System.ComponentModel;
using System.Net;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using ModelContextProtocol.Server;

namespace McpProxyFast.Authorization.Tests.Incoming;

/// <summary>A real MCP server that knows nothing of tokens, and the proxy that protects it.</summary>
internal sealed class ProtectedServer : IAsyncDisposable
{
    private readonly WebApplication _server;
    private readonly McpProxy _proxy;
    private readonly CancellationTokenSource _stopping = new();
    private readonly Task _running;

    private ProtectedServer(WebApplication server, TokenPolicy policy, Func<McpProxyOptions, McpProxyOptions> refine)
    {
        _server = server;
        _proxy = new McpProxy(refine(new McpProxyOptions
        {
            Listen = new IPEndPoint(IPAddress.Loopback, 0),
            Target = new Uri($"{server.Urls.Single()}/mcp"),
            Incoming = policy,
        }));
        Url = $"http://{_proxy.Bind()}";
        _running = _proxy.RunAsync(_stopping.Token);
    }

    public string Url { get; }

    /// <summary>The <c>Authorization</c> values that reached the server; empty for a request without one.</summary>
    public ConcurrentQueue<string> Authorizations { get; } = new();

    public static async Task<ProtectedServer> StartAsync(TokenPolicy policy, Func<McpProxyOptions, McpProxyOptions>? refine = null)
    {
        WebApplicationBuilder builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.UseUrls("http://127.0.0.1:0").UseShutdownTimeout(TimeSpan.Zero);
        builder.Services.AddMcpServer().WithHttpTransport().WithTools<Tools>();
        WebApplication server = builder.Build();
        ProtectedServer? self = null;
        server.Use((context, next) =>
        {
            self!.Authorizations.Enqueue(context.Request.Headers.Authorization.ToString());
            return next(context);
        });
        server.MapMcp("/mcp");
        server.MapGet("/echo", () => "echo");
        await server.StartAsync();
        return self = new ProtectedServer(server, policy, refine ?? (options => options));
    }

    public async ValueTask DisposeAsync()
    {
        await _stopping.CancelAsync();
        await _running;
        await _proxy.DisposeAsync();
        await _server.DisposeAsync();
        _stopping.Dispose();
    }

    [McpServerToolType]
    private sealed class Tools
    {
        [McpServerTool(Name = "greet"), Description("Greets.")]
        public static string Greet(string name) => $"Hello, {name}";
    }
}
