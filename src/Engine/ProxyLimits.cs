namespace McpProxyFast;

/// <summary>
/// The limits that the proxy enforces. Only <see cref="ResponseTimeout"/> is off by default. Of the others, only <see cref="MinBodyBytesPerSecond"/> can be
/// switched off.
/// </summary>
public sealed record ProxyLimits
{
    /// <summary>The maximum size of a request or response head in bytes: start line, field lines and their CRLFs.</summary>
    /// <value>1,024 to 65,535. Default 32,768 (32 KiB), like Kestrel's <c>MaxRequestHeadersTotalSize</c>.</value>
    /// <remarks>
    /// When a request exceeds it: 431, and the connection is closed (RFC 6585 §5). When a response exceeds it: 502. The range ends at 65,535, so that the
    /// offset of a field fits in 16 bits.
    /// </remarks>
    /// <exception cref="ArgumentOutOfRangeException">The value is outside the range.</exception>
    public int MaxHeadBytes { get; init => field = InRange(value, 1_024, ushort.MaxValue, nameof(MaxHeadBytes)); } = 32 * 1024;

    /// <summary>The maximum length of a request line in bytes, without its CRLF.</summary>
    /// <value>256 to 65,535. Default 16,384 (16 KiB).</value>
    /// <remarks>When exceeded: 414, and the connection is closed (RFC 9110 §15.5.15).</remarks>
    /// <exception cref="ArgumentOutOfRangeException">The value is outside the range.</exception>
    public int MaxRequestLineBytes { get; init => field = InRange(value, 256, ushort.MaxValue, nameof(MaxRequestLineBytes)); } = 16 * 1024;

    /// <summary>The maximum number of field lines in one head.</summary>
    /// <value>8 to 1,000. Default 128: more than Kestrel's 100, because other proxies in front of this one add fields.</value>
    /// <remarks>When a request exceeds it: 431, and the connection is closed. When a response exceeds it: 502.</remarks>
    /// <exception cref="ArgumentOutOfRangeException">The value is outside the range.</exception>
    public int MaxFields { get; init => field = InRange(value, 8, 1_000, nameof(MaxFields)); } = 128;

    /// <summary>The maximum size of a request body, in bytes.</summary>
    /// <value>0 to 2^62. Default 8,388,608 (8 MiB), like ToolHive's <c>thv proxy</c>.</value>
    /// <remarks>When exceeded: 413. If the body has a <c>Content-Length</c>, it is refused before a byte of it is sent to the upstream.</remarks>
    /// <exception cref="ArgumentOutOfRangeException">The value is outside the range.</exception>
    public long MaxRequestBodyBytes { get; init => field = InRange(value, 0, 1L << 62, nameof(MaxRequestBodyBytes)); } = 8 * 1024 * 1024;

    /// <summary>The maximum size in bytes of all chunk extensions of a body together. The same limit applies, separately, to its trailer section.</summary>
    /// <value>0 to 1,048,576. Default 16,384 (16 KiB), like hyper. Extensions and trailers are never forwarded.</value>
    /// <remarks>
    /// When a request exceeds it: 400, and the connection is closed. When a response exceeds it: 502, or the response is cut off if it has begun.
    /// </remarks>
    /// <exception cref="ArgumentOutOfRangeException">The value is outside the range.</exception>
    public int MaxChunkOverheadBytes { get; init => field = InRange(value, 0, 1 << 20, nameof(MaxChunkOverheadBytes)); } = 16 * 1024;

    /// <summary>The maximum number of interim (1xx) responses before one final response.</summary>
    /// <value>0 to 1,000. Default 16.</value>
    /// <remarks>When exceeded: 502.</remarks>
    /// <exception cref="ArgumentOutOfRangeException">The value is outside the range.</exception>
    public int MaxInterimResponses { get; init => field = InRange(value, 0, 1_000, nameof(MaxInterimResponses)); } = 16;

    /// <summary>
    /// The maximum size in bytes, head and body together, of a request that the proxy keeps while it sends the request to the upstream. A request that is kept
    /// can be sent again, if the first attempt fails before a response arrives.
    /// </summary>
    /// <value>0 to 1,048,576. Default 65,536 (64 KiB).</value>
    /// <remarks>
    /// When exceeded: the body is streamed and not kept, so the request is never sent twice. The limit does not apply to a request that the proxy has received
    /// completely before it sends it for the first time: it is in the receive buffer anyway, so it can be sent again.
    /// </remarks>
    /// <exception cref="ArgumentOutOfRangeException">The value is outside the range.</exception>
    public int ReplayWindowBytes { get; init => field = InRange(value, 0, 1 << 20, nameof(ReplayWindowBytes)); } = 64 * 1024;

    /// <summary>The maximum number of redirects that the proxy follows for one request. It follows a 307 or 308 to the upstream's own origin.</summary>
    /// <value>0 to 20. Default 5.</value>
    /// <remarks>When exceeded: the client gets the redirect.</remarks>
    /// <exception cref="ArgumentOutOfRangeException">The value is outside the range.</exception>
    public int MaxRedirects { get; init => field = InRange(value, 0, 20, nameof(MaxRedirects)); } = 5;

    /// <summary>The maximum number of client connections that are open at the same time.</summary>
    /// <value>1 to 1,000,000. Default 10,000.</value>
    /// <remarks>When reached: new connections wait in the accept queue of the system.</remarks>
    /// <exception cref="ArgumentOutOfRangeException">The value is outside the range.</exception>
    public int MaxConnections { get; init => field = InRange(value, 1, 1_000_000, nameof(MaxConnections)); } = 10_000;

    /// <summary>
    /// The maximum number of idle upstream connections in the proxy's pool. While a client is connected, it keeps its upstream connection outside the pool.
    /// </summary>
    /// <value>0 to 100,000. Default 256.</value>
    /// <remarks>When reached: the upstream connection of a client that disconnects is closed, and does not go to the pool.</remarks>
    /// <exception cref="ArgumentOutOfRangeException">The value is outside the range.</exception>
    public int MaxIdleUpstreamConnections { get; init => field = InRange(value, 0, 100_000, nameof(MaxIdleUpstreamConnections)); } = 256;

    /// <summary>How long an upstream connection may stay idle before it is closed.</summary>
    /// <value>10 ms to 1 h. Default 60 s, below the keep-alive timeouts that servers commonly have.</value>
    /// <remarks>
    /// If the upstream sends <c>Keep-Alive: timeout=N</c>, the limit is N minus one second, but never more than this value.
    /// </remarks>
    /// <exception cref="ArgumentOutOfRangeException">The value is outside the range.</exception>
    public TimeSpan UpstreamIdleTimeout { get; init => field = InRange(value, 0.01, 3_600, nameof(UpstreamIdleTimeout)); } = TimeSpan.FromSeconds(60);

    /// <summary>
    /// The maximum idle time after which an upstream connection is still used for a request that must not be sent twice, such as a POST.
    /// </summary>
    /// <value>10 ms to 1 h. Default 4 s: Node.js and uvicorn close idle connections after 5 s, and a request that arrives later is lost.</value>
    /// <remarks>
    /// When exceeded: the request gets another connection, either one that was used more recently or a new one. If the upstream sends
    /// <c>Keep-Alive: timeout=N</c>, the limit is N minus one second instead, but never more than <see cref="UpstreamIdleTimeout"/>. If the proxy has seen that
    /// the upstream closes connections after a shorter idle time, the limit is that time minus a margin.
    /// </remarks>
    /// <exception cref="ArgumentOutOfRangeException">The value is outside the range.</exception>
    public TimeSpan UpstreamPostIdleTimeout { get; init => field = InRange(value, 0.01, 3_600, nameof(UpstreamPostIdleTimeout)); } = TimeSpan.FromSeconds(4);

    /// <summary>The maximum age of an upstream connection that is used again. It is limited so that the proxy notices changed DNS records.</summary>
    /// <value>10 ms to 24 h. Default 10 min.</value>
    /// <remarks>When exceeded: the connection is closed once it is idle, and the next request gets another connection.</remarks>
    /// <exception cref="ArgumentOutOfRangeException">The value is outside the range.</exception>
    public TimeSpan UpstreamMaxAge { get; init => field = InRange(value, 0.01, 86_400, nameof(UpstreamMaxAge)); } = TimeSpan.FromMinutes(10);

    /// <summary>
    /// The maximum time from the first byte of a request head to its end. Also the maximum time until a new client connection sends its first byte.
    /// </summary>
    /// <value>10 ms to 1 h. Default 10 s.</value>
    /// <remarks>When exceeded: 408 if part of a head has been received; the connection is closed.</remarks>
    /// <exception cref="ArgumentOutOfRangeException">The value is outside the range.</exception>
    public TimeSpan HeaderTimeout { get; init => field = InRange(value, 0.01, 3_600, nameof(HeaderTimeout)); } = TimeSpan.FromSeconds(10);

    /// <summary>The maximum time for which a client connection may be idle between two requests.</summary>
    /// <value>10 ms to 24 h. Default 120 s.</value>
    /// <remarks>When exceeded: the connection is closed.</remarks>
    /// <exception cref="ArgumentOutOfRangeException">The value is outside the range.</exception>
    public TimeSpan IdleTimeout { get; init => field = InRange(value, 0.01, 86_400, nameof(IdleTimeout)); } = TimeSpan.FromSeconds(120);

    /// <summary>The maximum time without a new byte while the proxy receives a request body.</summary>
    /// <value>10 ms to 1 h. Default 30 s.</value>
    /// <remarks>When exceeded: 408, unless the response has begun; the connection is closed.</remarks>
    /// <exception cref="ArgumentOutOfRangeException">The value is outside the range.</exception>
    public TimeSpan BodyTimeout { get; init => field = InRange(value, 0.01, 3_600, nameof(BodyTimeout)); } = TimeSpan.FromSeconds(30);

    /// <summary>
    /// The minimum average rate of a request body, in bytes per second. It is checked when the body has been arriving for <see cref="BodyTimeout"/>.
    /// </summary>
    /// <value>0 to 1,048,576; 0 switches the limit off. Default 240, like Kestrel's <c>MinRequestBodyDataRate</c>.</value>
    /// <remarks>When a body is slower: 408, unless the response has begun; the connection is closed.</remarks>
    /// <exception cref="ArgumentOutOfRangeException">The value is outside the range.</exception>
    public int MinBodyBytesPerSecond { get; init => field = InRange(value, 0, 1 << 20, nameof(MinBodyBytesPerSecond)); } = 240;

    /// <summary>The maximum time for which one write may wait for a peer that does not read.</summary>
    /// <value>10 ms to 24 h. Default 5 min.</value>
    /// <remarks>When exceeded: the exchange is aborted. Before that, a slow reader slows down only its own upstream connection.</remarks>
    /// <exception cref="ArgumentOutOfRangeException">The value is outside the range.</exception>
    public TimeSpan WriteTimeout { get; init => field = InRange(value, 0.01, 86_400, nameof(WriteTimeout)); } = TimeSpan.FromMinutes(5);

    /// <summary>The maximum time to create one upstream connection: the name look-up, the attempts at all addresses, and TLS.</summary>
    /// <value>10 ms to 1 h. Default 10 s.</value>
    /// <remarks>When exceeded: 504.</remarks>
    /// <exception cref="ArgumentOutOfRangeException">The value is outside the range.</exception>
    public TimeSpan ConnectTimeout { get; init => field = InRange(value, 0.01, 3_600, nameof(ConnectTimeout)); } = TimeSpan.FromSeconds(10);

    /// <summary>The maximum time from the end of the request to the upstream's response head. The response body may take any time.</summary>
    /// <value>10 ms to 24 h, or <see cref="TimeSpan.Zero"/> (the default): no limit, since MCP tools may compute for hours before they answer.</value>
    /// <remarks>When exceeded: 504.</remarks>
    /// <exception cref="ArgumentOutOfRangeException">The value is outside the range.</exception>
    public TimeSpan ResponseTimeout { get; init => field = ZeroOrInRange(value, 0.01, 86_400, nameof(ResponseTimeout)); } = TimeSpan.Zero;

    /// <summary>How long running exchanges may continue when the proxy is told to stop.</summary>
    /// <value>0 s to 1 h. Default 5 s, like ToolHive's <c>thv proxy</c>.</value>
    /// <remarks>When exceeded: the remaining exchanges are aborted.</remarks>
    /// <exception cref="ArgumentOutOfRangeException">The value is outside the range.</exception>
    public TimeSpan DrainTimeout { get; init => field = InRange(value, 0, 3_600, nameof(DrainTimeout)); } = TimeSpan.FromSeconds(5);

    private static int InRange(int value, int least, int most, string name) =>
        value >= least && value <= most ? value : throw OutOfRange(value, least, most, name);

    private static long InRange(long value, long least, long most, string name) =>
        value >= least && value <= most ? value : throw OutOfRange(value, least, most, name);

    private static TimeSpan ZeroOrInRange(TimeSpan value, double least, int most, string name) =>
        value == TimeSpan.Zero ? value : InRange(value, least, most, name);

    private static TimeSpan InRange(TimeSpan value, double minSeconds, int maxSeconds, string name) =>
        value >= TimeSpan.FromSeconds(minSeconds) && value <= TimeSpan.FromSeconds(maxSeconds)
            ? value
            : throw OutOfRange(value, TimeSpan.FromSeconds(minSeconds), TimeSpan.FromSeconds(maxSeconds), name);

    private static ArgumentOutOfRangeException OutOfRange(object value, object least, object most, string name) =>
        new(name, value, $"{name} must lie between {least} and {most}.");
}
