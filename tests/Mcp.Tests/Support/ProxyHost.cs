using System.Net;

namespace McpProxyFast.Mcp.Tests.Support;

/// <summary>The proxy, in process, on a port chosen by the system.</summary>
public sealed class ProxyHost : IAsyncDisposable
{
    private readonly CancellationTokenSource _stopping = new();
    private readonly McpProxy _proxy;
    private readonly Task _running;

    public ProxyHost(Uri target)
    {
        _proxy = new McpProxy(new McpProxyOptions
        {
            Listen = new IPEndPoint(IPAddress.Loopback, 0),
            Target = target,
            Limits = new ProxyLimits { DrainTimeout = TimeSpan.Zero },
        });
        Address = new Uri($"http://{_proxy.Bind()}");
        _running = _proxy.RunAsync(_stopping.Token);
    }

    public Uri Address { get; }

    public async ValueTask DisposeAsync()
    {
        await _stopping.CancelAsync();
        await _running;
        await _proxy.DisposeAsync();
        _stopping.Dispose();
    }
}
