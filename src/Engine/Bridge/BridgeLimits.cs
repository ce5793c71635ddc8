namespace McpProxyFast.Bridge;

/// <summary>The fixed limits of a bridge: no option sets them.</summary>
internal static class BridgeLimits
{
    /// <summary>The largest message of the client or of the server: 64 MiB.</summary>
    public const int MaxMessageBytes = 64 * 1024 * 1024;

    /// <summary>The maximum number of the client's requests that are open at a time. Further ones are answered with an error.</summary>
    public const int MaxOpenRequests = 10_000;

    /// <summary>
    /// The maximum number of the client's requests that are at the server at a time, each on its own connection. Further ones wait in the bridge.
    /// </summary>
    public const int MaxExchanges = 1_024;

    /// <summary>The maximum number of messages in one batch.</summary>
    public const int MaxBatch = 1_000;

    /// <summary>The largest body of an HTTP error, in bytes, that is searched for a JSON-RPC error.</summary>
    public const int MaxErrorBytes = 1024 * 1024;

    /// <summary>The maximum number of subscriptions that are made again in a new session.</summary>
    public const int MaxSubscriptions = 1_000;

    /// <summary>The largest message, in bytes, that is kept to be sent again in a new session: <c>initialize</c>, a subscription, a log level.</summary>
    public const int MaxKeptBytes = 64 * 1024;

    /// <summary>The maximum number of the server's cookies that are kept. The oldest is dropped first.</summary>
    public const int MaxCookies = 50;

    /// <summary>The maximum size in bytes of all cookies in one request. Many servers refuse a larger head.</summary>
    public const int MaxCookieBytes = 8 * 1024;

    /// <summary>The maximum lifetime of a cookie in seconds: 400 days, as in browsers.</summary>
    public const long MaxCookieSeconds = 400L * 24 * 3600;

    /// <summary>How long the exchange of a cancelled request stays open. The server may still send messages on it, and should end it.</summary>
    public static readonly TimeSpan CancelGrace = TimeSpan.FromSeconds(5);

    /// <summary>
    /// How long a cancellation waits for the response to its request to begin, so that the cancellation does not reach the server before the request. It cannot
    /// wait for longer, as the response may take hours.
    /// </summary>
    public static readonly TimeSpan OvertakingTime = TimeSpan.FromMilliseconds(200);

    /// <summary>
    /// How long the body of an HTTP error is waited for. The status is known by then, so a server that never ends the body must not keep the request open.
    /// </summary>
    public static readonly TimeSpan ErrorBodyTime = TimeSpan.FromSeconds(10);

    /// <summary>How long an answer's event stream is still read after the answer has come.</summary>
    public static readonly TimeSpan TailTime = TimeSpan.FromSeconds(2);

    /// <summary>
    /// How long the bridge, when it ends, waits for the client to take the errors that end its open requests. A client that does not read must not delay the
    /// exit.
    /// </summary>
    public static readonly TimeSpan LastWordsTime = TimeSpan.FromMilliseconds(500);

    /// <summary>
    /// How long the bridge, when it ends, waits until the server has ended the session. A server that does not answer must not delay the exit.
    /// </summary>
    public static readonly TimeSpan FarewellTime = TimeSpan.FromSeconds(1);

    /// <summary>The pause before the second attempt to reach the server. Each further pause is twice as long.</summary>
    public static readonly TimeSpan FirstPause = TimeSpan.FromMilliseconds(100);

    /// <summary>The longest pause before another attempt to reach the server for a request that waits.</summary>
    public static readonly TimeSpan MaxPause = TimeSpan.FromSeconds(2);

    /// <summary>
    /// The shortest wait before a stream is opened again, whatever the server asks for. It doubles, up to a second, each time a stream has brought nothing.
    /// </summary>
    public static readonly TimeSpan MinRetry = TimeSpan.FromMilliseconds(100);

    /// <summary>How long to wait before a stream is opened again if the server has not said so (<c>retry</c>).</summary>
    public static readonly TimeSpan DefaultRetry = TimeSpan.FromSeconds(1);

    /// <summary>The longest wait that a server can ask for with <c>retry</c>, and the longest pause between two attempts to open its stream.</summary>
    public static readonly TimeSpan MaxRetry = TimeSpan.FromSeconds(30);
}
