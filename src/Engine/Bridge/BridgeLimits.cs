namespace McpProxyFast.Bridge;

/// <summary>The fixed limits of a bridge: no option sets them.</summary>
internal static class BridgeLimits
{
    /// <summary>The largest message of the client or of the server: 64 MiB. A larger message is not passed on.</summary>
    public const int MaxMessageBytes = 64 * 1024 * 1024;

    /// <summary>The maximum number of the client's requests that are open at a time. Further ones are answered with an error.</summary>
    public const int MaxOpenRequests = 10_000;

    /// <summary>
    /// The maximum number of the client's requests that the server works on at a time, each on its own connection. Further ones wait in the bridge. A batch
    /// counts as one.
    /// </summary>
    public const int MaxExchanges = 1_024;

    /// <summary>The maximum number of messages in one batch. A longer batch is not passed on.</summary>
    public const int MaxBatch = 1_000;

    /// <summary>The largest body of an HTTP error, in bytes, that is read. A larger one counts as a body without a JSON-RPC error.</summary>
    public const int MaxErrorBytes = 1024 * 1024;

    /// <summary>The maximum number of subscriptions that are made again in a new session. Further ones end with the old session.</summary>
    public const int MaxSubscriptions = 1_000;

    /// <summary>The largest <c>initialize</c>, subscription or log level, in bytes, that is kept. Only kept ones are sent again in a new session.</summary>
    public const int MaxKeptBytes = 64 * 1024;

    /// <summary>The maximum number of the server's cookies that are kept. The oldest is dropped first.</summary>
    public const int MaxCookies = 50;

    /// <summary>The maximum size in bytes of all cookies. The oldest is dropped first. Many servers refuse requests with larger heads.</summary>
    public const int MaxCookieBytes = 8 * 1024;

    /// <summary>The longest lifetime that <c>Max-Age</c> gives to a cookie, in seconds: 400 days, as in browsers.</summary>
    public const long MaxCookieSeconds = 400L * 24 * 3600;

    /// <summary>
    /// How long the HTTP exchange of a cancelled request stays open, so that the server can still send messages on it. If the server has not ended it then, the
    /// bridge closes it.
    /// </summary>
    public static readonly TimeSpan CancelGrace = TimeSpan.FromSeconds(5);

    /// <summary>
    /// How long a cancellation waits until the response to the cancelled request has begun. Then the server has the request, so the cancellation does not
    /// overtake it. After this time the cancellation is sent anyway, since the response may take hours.
    /// </summary>
    public static readonly TimeSpan OvertakingTime = TimeSpan.FromMilliseconds(200);

    /// <summary>
    /// How long to wait for the body of an HTTP error. After that the request ends with the status alone, so a server that never ends the body does not keep
    /// the request open.
    /// </summary>
    public static readonly TimeSpan ErrorBodyTime = TimeSpan.FromSeconds(10);

    /// <summary>How long the event stream of an answer is still read after the answer has come. Then it is closed.</summary>
    public static readonly TimeSpan TailTime = TimeSpan.FromSeconds(2);

    /// <summary>
    /// How long the bridge, when it ends, waits until the client has received the errors for its open requests. A client that does not read must not delay the
    /// exit.
    /// </summary>
    public static readonly TimeSpan LastWordsTime = TimeSpan.FromMilliseconds(500);

    /// <summary>
    /// How long the bridge, when it ends, waits until the server has ended the session. A server that does not answer must not delay the exit.
    /// </summary>
    public static readonly TimeSpan FarewellTime = TimeSpan.FromSeconds(1);

    /// <summary>The pause before the second attempt to reach the server. Each further pause is twice as long; all are varied a little at random.</summary>
    public static readonly TimeSpan FirstPause = TimeSpan.FromMilliseconds(100);

    /// <summary>The pauses between attempts to reach the server double only up to this length.</summary>
    public static readonly TimeSpan MaxPause = TimeSpan.FromSeconds(2);

    /// <summary>
    /// The shortest wait before an event stream is opened again, even if the server asks for less. It doubles, up to a second, each time a stream has ended
    /// without an event.
    /// </summary>
    public static readonly TimeSpan MinRetry = TimeSpan.FromMilliseconds(100);

    /// <summary>How long to wait before an event stream is opened again if the server has not set a time with <c>retry</c>.</summary>
    public static readonly TimeSpan DefaultRetry = TimeSpan.FromSeconds(1);

    /// <summary>The longest wait before an event stream is opened again, even if the server asks for more with <c>retry</c>.</summary>
    public static readonly TimeSpan MaxRetry = TimeSpan.FromSeconds(30);
}
