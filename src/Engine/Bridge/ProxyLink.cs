using System.IO.Pipelines;
using System.Text;

namespace McpProxyFast.Bridge;

/// <summary>Sends requests to the server: an HTTP client with in-memory connections to a proxy in the same process.</summary>
/// <remarks>
/// The proxy does everything else: credentials, sign-ins, name look-ups, TLS, limits, redirects and error messages. If the server cannot be reached, the proxy
/// sends an HTTP error response, so there is no exception.
/// </remarks>
internal sealed class ProxyLink : IDisposable
{
    /// <summary>A placeholder for the server's URL. The proxy replaces it with the target's real host and path.</summary>
    public static readonly Uri Target = new("http://mcp.invalid/");

    /// <summary>How long an idle connection to the proxy stays open. It takes a few KiB of memory.</summary>
    private static readonly TimeSpan IdleTime = TimeSpan.FromSeconds(30);

    private readonly HttpMessageInvoker _http;

    /// <param name="serve">The proxy's method that serves one connection until it ends. It never throws.</param>
    public ProxyLink(Func<IDuplexPipe, Task> serve)
        : this(HandlerOver(serve))
    {
    }

    /// <summary>For fuzzing: sends the requests to any handler in place of the proxy.</summary>
    internal ProxyLink(HttpMessageHandler handler) => _http = new HttpMessageInvoker(handler);

    /// <summary>Sends a request to the target, or to another path of its origin.</summary>
    /// <param name="request">A request to <see cref="Target"/>, or to another URL with the same origin.</param>
    /// <param name="cancellationToken">Closes the exchange.</param>
    /// <returns>The response, as soon as its head has been received.</returns>
    /// <exception cref="HttpRequestException">The connection ended before a response had begun.</exception>
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
