using System.Buffers;
using System.Net.Http.Headers;
using McpProxyFast.Bridge;
using McpProxyFast.Cli.Flags;

namespace McpProxyFast.Cli.Tunnels.OpenAi;

/// <summary>
/// Makes the three HTTP calls to the control plane, the vendor's service that hands out commands and collects answers. The caller decides what each response
/// means.
/// </summary>
/// <param name="provider">The tunnel, the key and the base URL.</param>
internal sealed class ControlPlane(OpenAiProvider provider) : IDisposable
{
    /// <summary>The maximum number of commands that one poll asks for.</summary>
    private const int Limit = 25;

    /// <summary>How long the control plane should hold a poll open.</summary>
    private const int WaitMilliseconds = 15_000;

    /// <summary>How long to wait for the head of a poll's response.</summary>
    private static readonly TimeSpan PollTimeout = TimeSpan.FromSeconds(45);

    /// <summary>How long to wait for the head of the response to any other call.</summary>
    private static readonly TimeSpan CallTimeout = TimeSpan.FromSeconds(30);

    private static readonly string Instance = Guid.NewGuid().ToString("N");

    private readonly HttpMessageInvoker _http = new(Handler(provider, TimeSpan.FromMinutes(10)));

    /// <summary>Uses a new connection for each call. If a reused connection fails, HttpClient may send the request again by itself.</summary>
    private readonly HttpMessageInvoker _once = new(Handler(provider, TimeSpan.Zero));

    private readonly string _tunnel = $"{provider.Base.AbsoluteUri.TrimEnd('/')}/v1/tunnels/{Uri.EscapeDataString(provider.TunnelId)}";

    /// <summary>Requests the metadata of the tunnel.</summary>
    /// <exception cref="HttpRequestException">There was no response.</exception>
    /// <exception cref="TimeoutException">There was no response in time.</exception>
    public Task<HttpResponseMessage> MetadataAsync(CancellationToken cancel) =>
        SendAsync(_http, new HttpRequestMessage(HttpMethod.Get, _tunnel), CallTimeout, cancel);

    /// <summary>Polls for commands.</summary>
    /// <returns>The response, as soon as its head has arrived.</returns>
    /// <exception cref="HttpRequestException">There was no response.</exception>
    /// <exception cref="TimeoutException">There was no response in time.</exception>
    public Task<HttpResponseMessage> PollAsync(CancellationToken cancel)
    {
        string channels = string.Concat(provider.Channels.Select(channel => $"&channel={Uri.EscapeDataString(channel)}"));
        return SendAsync(
            _http, new HttpRequestMessage(HttpMethod.Get, $"{_tunnel}/poll?limit={Limit}&timeout_ms={WaitMilliseconds}{channels}"), PollTimeout, cancel);
    }

    /// <summary>Posts an answer.</summary>
    /// <param name="command">The command that is answered.</param>
    /// <param name="body">The answer.</param>
    /// <param name="isOnce">Whether HttpClient must not send the request again by itself.</param>
    /// <param name="cancel">Ends the wait.</param>
    /// <exception cref="HttpRequestException">There was no response.</exception>
    /// <exception cref="TimeoutException">There was no response in time.</exception>
    public Task<HttpResponseMessage> PostAsync(TunnelCommand command, ReadOnlySequence<byte> body, bool isOnce, CancellationToken cancel)
    {
        var request = new HttpRequestMessage(HttpMethod.Post, $"{_tunnel}/response") { Content = new MessageContent(body) };
        request.Headers.TryAddWithoutValidation("X-Tunnel-Shard-Token", command.ShardToken);
        return SendAsync(isOnce ? _once : _http, request, CallTimeout, cancel);
    }

    public void Dispose()
    {
        _http.Dispose();
        _once.Dispose();
    }

    private static SocketsHttpHandler Handler(OpenAiProvider provider, TimeSpan lifetime) => new()
    {
        ActivityHeadersPropagator = null,
        AllowAutoRedirect = false,
        ConnectTimeout = TimeSpan.FromSeconds(15),
        PooledConnectionLifetime = lifetime,
        UseCookies = false,
        UseProxy = !provider.Base.IsLoopback, // an HTTP proxy cannot reach this machine's loopback addresses, and would see the key
    };

    private async Task<HttpResponseMessage> SendAsync(HttpMessageInvoker http, HttpRequestMessage request, TimeSpan limit, CancellationToken cancel)
    {
        using CancellationTokenSource timeout = CancellationTokenSource.CreateLinkedTokenSource(cancel);
        timeout.CancelAfter(limit);
        using (request)
        {
            request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", provider.Key());
            request.Headers.Add("X-Tunnel-Client-Name", "mcpproxyfast");
            request.Headers.Add("X-Tunnel-Client-Version", ProgramVersion.Number);
            request.Headers.Add("X-Tunnel-Client-Instance-Id", Instance);
            request.Headers.TryAddWithoutValidation("X-Tunnel-MCP-Server-Info", provider.ServerInfo);
            try
            {
                return await http.SendAsync(request, timeout.Token);
            }
            catch (OperationCanceledException) when (!cancel.IsCancellationRequested)
            {
                throw new TimeoutException($"no response within {limit.TotalSeconds} s");
            }
        }
    }
}
