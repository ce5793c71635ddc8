using System.IO.Pipelines;
using System.Text;

namespace McpProxyFast.Bridge;

/// <summary>The way to the server: an HTTP client whose connections are served by a proxy in the same process, over memory.</summary>
/// <remarks>
/// So credentials, sign-ins, name look-ups, TLS, limits, redirects and the words for what fails are the proxy's, and a server that cannot be reached is a
/// response like any other.
/// </remarks>
internal sealed class ProxyLink : IDisposable
{
    /// <summary>Stands for the target. The proxy puts the target's own host and path in its place.</summary>
    public static readonly Uri Target = new("http://mcp.invalid/");

    /// <summary>How long an idle connection to the proxy is kept; it costs a few KiB.</summary>
    private static readonly TimeSpan IdleTime = TimeSpan.FromSeconds(30);

    private readonly HttpMessageInvoker _http;

    /// <param name="serve">Serves a connection until it ends, whatever happens on it; the proxy's.</param>
    public ProxyLink(Func<IDuplexPipe, Task> serve)
        : this(HandlerOver(serve))
    {
    }

    /// <summary>For fuzzing: with any stream in place of a server.</summary>
    internal ProxyLink(HttpMessageHandler handler) => _http = new HttpMessageInvoker(handler);

    /// <summary>Sends a request to the target, or to another path of its origin.</summary>
    /// <param name="request">To <see cref="Target"/>, or a URL relative to it.</param>
    /// <param name="cancellationToken">Closes the exchange.</param>
    /// <returns>The response, as soon as its head is here.</returns>
    /// <exception cref="HttpRequestException">The exchange was cut before a response had begun.</exception>
    public Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken) => _http.SendAsync(request, cancellationToken);

    public void Dispose() => _http.Dispose();

    private static SocketsHttpHandler HandlerOver(Func<IDuplexPipe, Task> serve) => new()
    {
        ActivityHeadersPropagator = null,
        AllowAutoRedirect = false,
        ConnectCallback = (_, _) => ValueTask.FromResult<Stream>(MemoryConnection.Open(serve, takesAtOnce: true)),
        PooledConnectionIdleTimeout = IdleTime,
        RequestHeaderEncodingSelector = static (_, _) => Encoding.UTF8,
        UseCookies = false,
        UseProxy = false,
    };
}
