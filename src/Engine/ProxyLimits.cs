namespace McpProxyFast;

/// <summary>Every bound the proxy enforces. All have a finite default; none can be switched off.</summary>
public sealed record ProxyLimits
{
    /// <summary>Largest request or response head accepted, in bytes: start line, field lines and their CRLFs.</summary>
    /// <value>1,024 to 65,535. Default 32,768 (32 KiB), as Kestrel's <c>MaxRequestHeadersTotalSize</c>.</value>
    /// <remarks>
    /// When exceeded: 431 and the connection closed (RFC 6585 §5); from an upstream, 502.
    /// The upper bound is what lets a field's offset fit in 16 bits.
    /// </remarks>
    /// <exception cref="ArgumentOutOfRangeException">The value is outside the range.</exception>
    public int MaxHeadBytes { get; init => field = InRange(value, 1_024, ushort.MaxValue, nameof(MaxHeadBytes)); } = 32 * 1024;

    /// <summary>Longest request line accepted, in bytes, without its CRLF.</summary>
    /// <value>256 to 65,535. Default 16,384 (16 KiB).</value>
    /// <remarks>When exceeded: 414 and the connection closed (RFC 9110 §15.5.15).</remarks>
    /// <exception cref="ArgumentOutOfRangeException">The value is outside the range.</exception>
    public int MaxRequestLineBytes { get; init => field = InRange(value, 256, ushort.MaxValue, nameof(MaxRequestLineBytes)); } = 16 * 1024;

    /// <summary>Most field lines in one head.</summary>
    /// <value>8 to 1,000. Default 128: above the 100 of Kestrel, because proxies in front add some of their own.</value>
    /// <remarks>When exceeded: 431 and the connection closed; from an upstream, 502.</remarks>
    /// <exception cref="ArgumentOutOfRangeException">The value is outside the range.</exception>
    public int MaxFields { get; init => field = InRange(value, 8, 1_000, nameof(MaxFields)); } = 128;

    /// <summary>Largest request body, in bytes.</summary>
    /// <value>0 to 2^62. Default 8,388,608 (8 MiB), as <c>thv proxy</c>.</value>
    /// <remarks>When exceeded: 413. A body whose length is declared is refused before the upstream sees a byte of it.</remarks>
    /// <exception cref="ArgumentOutOfRangeException">The value is outside the range.</exception>
    public long MaxRequestBodyBytes { get; init => field = InRange(value, 0, 1L << 62, nameof(MaxRequestBodyBytes)); } = 8 * 1024 * 1024;

    /// <summary>Most bytes of chunk extensions in one body, and most bytes in one trailer section.</summary>
    /// <value>0 to 1,048,576. Default 16,384 (16 KiB), as hyper. Both are dropped, never forwarded.</value>
    /// <remarks>When exceeded: 400 and the connection closed; from an upstream, 502 or an abort.</remarks>
    /// <exception cref="ArgumentOutOfRangeException">The value is outside the range.</exception>
    public int MaxChunkOverheadBytes { get; init => field = InRange(value, 0, 1 << 20, nameof(MaxChunkOverheadBytes)); } = 16 * 1024;

    /// <summary>Most interim (1xx) responses before one final response.</summary>
    /// <value>0 to 1,000. Default 16.</value>
    /// <remarks>When exceeded: 502.</remarks>
    /// <exception cref="ArgumentOutOfRangeException">The value is outside the range.</exception>
    public int MaxInterimResponses { get; init => field = InRange(value, 0, 1_000, nameof(MaxInterimResponses)); } = 16;

    /// <summary>
    /// Largest request, head and body together, that is kept while its body still arrives, so that it can be sent again until its response head is seen.
    /// </summary>
    /// <value>0 to 1,048,576. Default 65,536 (64 KiB).</value>
    /// <remarks>
    /// When exceeded: the body is streamed, and the request is never sent twice. A request that is here whole when it is first sent lies in the receive buffer
    /// anyhow: it can be sent again whatever its size and this limit.
    /// </remarks>
    /// <exception cref="ArgumentOutOfRangeException">The value is outside the range.</exception>
    public int ReplayWindowBytes { get; init => field = InRange(value, 0, 1 << 20, nameof(ReplayWindowBytes)); } = 64 * 1024;

    /// <summary>Most redirects of the upstream (307, 308 on its own origin) that the proxy follows for one request.</summary>
    /// <value>0 to 20. Default 5.</value>
    /// <remarks>When exceeded: the redirect is passed to the client.</remarks>
    /// <exception cref="ArgumentOutOfRangeException">The value is outside the range.</exception>
    public int MaxRedirects { get; init => field = InRange(value, 0, 20, nameof(MaxRedirects)); } = 5;

    /// <summary>Most client connections open at once.</summary>
    /// <value>1 to 1,000,000. Default 10,000.</value>
    /// <remarks>When exceeded: new connections wait in the accept queue of the system.</remarks>
    /// <exception cref="ArgumentOutOfRangeException">The value is outside the range.</exception>
    public int MaxConnections { get; init => field = InRange(value, 1, 1_000_000, nameof(MaxConnections)); } = 10_000;

    /// <summary>Most idle upstream connections that no client connection holds.</summary>
    /// <value>0 to 100,000. Default 256.</value>
    /// <remarks>When exceeded: the connection that comes back is closed.</remarks>
    /// <exception cref="ArgumentOutOfRangeException">The value is outside the range.</exception>
    public int MaxIdleUpstreamConnections { get; init => field = InRange(value, 0, 100_000, nameof(MaxIdleUpstreamConnections)); } = 256;

    /// <summary>How long an upstream connection may stay idle before it is closed.</summary>
    /// <value>10 ms to 1 h. Default 60 s, below the keep-alive timeouts that servers commonly have.</value>
    /// <remarks>
    /// An upstream that says in <c>Keep-Alive: timeout=N</c> how long it keeps a connection is believed, less one second, if that is shorter.
    /// </remarks>
    /// <exception cref="ArgumentOutOfRangeException">The value is outside the range.</exception>
    public TimeSpan UpstreamIdleTimeout { get; init => field = InRange(value, 0.01, 3_600, nameof(UpstreamIdleTimeout)); } = TimeSpan.FromSeconds(60);

    /// <summary>How long an upstream connection may have been idle and still be given a request that must not be sent twice, as a POST.</summary>
    /// <value>10 ms to 1 h. Default 4 s: node and uvicorn close idle connections after 5 s, and what is on its way to them then is lost.</value>
    /// <remarks>
    /// When exceeded: the request gets another connection, one used more lately or a new one. It does not count if the upstream says by itself, in
    /// <c>Keep-Alive: timeout=N</c>, how long it keeps the connection; no longer than <see cref="UpstreamIdleTimeout"/> in any case. If the upstream is seen
    /// to close idle connections earlier, the limit is that time less a margin.
    /// </remarks>
    /// <exception cref="ArgumentOutOfRangeException">The value is outside the range.</exception>
    public TimeSpan UpstreamPostIdleTimeout { get; init => field = InRange(value, 0.01, 3_600, nameof(UpstreamPostIdleTimeout)); } = TimeSpan.FromSeconds(4);

    /// <summary>How old an upstream connection may grow before it is not used again, so that changed DNS answers are noticed.</summary>
    /// <value>10 ms to 24 h. Default 10 min.</value>
    /// <exception cref="ArgumentOutOfRangeException">The value is outside the range.</exception>
    public TimeSpan UpstreamMaxAge { get; init => field = InRange(value, 0.01, 86_400, nameof(UpstreamMaxAge)); } = TimeSpan.FromMinutes(10);

    /// <summary>Time from the first byte of a request head to its end; also the time a new connection has to send its first byte.</summary>
    /// <value>10 ms to 1 h. Default 10 s.</value>
    /// <remarks>When exceeded: 408 if part of a head has come, and the connection closed.</remarks>
    /// <exception cref="ArgumentOutOfRangeException">The value is outside the range.</exception>
    public TimeSpan HeaderTimeout { get; init => field = InRange(value, 0.01, 3_600, nameof(HeaderTimeout)); } = TimeSpan.FromSeconds(10);

    /// <summary>Time a client connection may be idle between two requests.</summary>
    /// <value>10 ms to 24 h. Default 120 s.</value>
    /// <remarks>When exceeded: the connection is closed.</remarks>
    /// <exception cref="ArgumentOutOfRangeException">The value is outside the range.</exception>
    public TimeSpan IdleTimeout { get; init => field = InRange(value, 0.01, 86_400, nameof(IdleTimeout)); } = TimeSpan.FromSeconds(120);

    /// <summary>Longest silence while a request body is awaited.</summary>
    /// <value>10 ms to 1 h. Default 30 s.</value>
    /// <remarks>When exceeded: 408 if no answer has begun, and the connection closed.</remarks>
    /// <exception cref="ArgumentOutOfRangeException">The value is outside the range.</exception>
    public TimeSpan BodyTimeout { get; init => field = InRange(value, 0.01, 3_600, nameof(BodyTimeout)); } = TimeSpan.FromSeconds(30);

    /// <summary>Least average rate of a request body, in bytes per second, after <see cref="BodyTimeout"/>.</summary>
    /// <value>0 to 1,048,576. Default 240, as Kestrel's <c>MinRequestBodyDataRate</c>.</value>
    /// <remarks>When a body falls below: as <see cref="BodyTimeout"/>.</remarks>
    /// <exception cref="ArgumentOutOfRangeException">The value is outside the range.</exception>
    public int MinBodyBytesPerSecond { get; init => field = InRange(value, 0, 1 << 20, nameof(MinBodyBytesPerSecond)); } = 240;

    /// <summary>How long one write to a peer that does not read may wait.</summary>
    /// <value>10 ms to 24 h. Default 5 min.</value>
    /// <remarks>When exceeded: the exchange is aborted. Until then a slow reader holds back its own upstream only.</remarks>
    /// <exception cref="ArgumentOutOfRangeException">The value is outside the range.</exception>
    public TimeSpan WriteTimeout { get; init => field = InRange(value, 0.01, 86_400, nameof(WriteTimeout)); } = TimeSpan.FromMinutes(5);

    /// <summary>Time for one upstream connection to be made: name look-up, all addresses, TLS.</summary>
    /// <value>10 ms to 1 h. Default 10 s.</value>
    /// <remarks>When exceeded: 504.</remarks>
    /// <exception cref="ArgumentOutOfRangeException">The value is outside the range.</exception>
    public TimeSpan ConnectTimeout { get; init => field = InRange(value, 0.01, 3_600, nameof(ConnectTimeout)); } = TimeSpan.FromSeconds(10);

    /// <summary>Time from the request having been sent to the upstream's response head; never cuts a stream.</summary>
    /// <value>10 ms to 24 h, or <see cref="TimeSpan.Zero"/> (the default): as long as the client waits, since MCP tools may compute for hours before they
    /// answer.</value>
    /// <remarks>When exceeded: 504.</remarks>
    /// <exception cref="ArgumentOutOfRangeException">The value is outside the range.</exception>
    public TimeSpan ResponseTimeout { get; init => field = ZeroOrInRange(value, 0.01, 86_400, nameof(ResponseTimeout)); } = TimeSpan.Zero;

    /// <summary>Time that running exchanges get when the proxy is told to stop.</summary>
    /// <value>0 s to 1 h. Default 5 s, as <c>thv proxy</c>.</value>
    /// <remarks>When exceeded: what is left is aborted.</remarks>
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
