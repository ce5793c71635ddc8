namespace McpProxyFast.Bridge;

/// <summary>The bounds of a bridge that nobody sets.</summary>
internal static class BridgeLimits
{
    /// <summary>Largest message, either way: 64 MiB.</summary>
    public const int MaxMessageBytes = 64 * 1024 * 1024;

    /// <summary>Most requests of the client that are open at a time; further ones are answered with an error.</summary>
    public const int MaxOpenRequests = 10_000;

    /// <summary>Most requests of the client that are at the server at a time, each on a connection of its own; further ones wait here.</summary>
    public const int MaxExchanges = 1_024;

    /// <summary>Most messages in one batch.</summary>
    public const int MaxBatch = 1_000;

    /// <summary>Most of an HTTP error's body that is looked at for a JSON-RPC error.</summary>
    public const int MaxErrorBytes = 1024 * 1024;

    /// <summary>Most subscriptions that are made again in a new session.</summary>
    public const int MaxSubscriptions = 1_000;

    /// <summary>Largest message that is kept for a new session: <c>initialize</c>, a subscription, a log level.</summary>
    public const int MaxKeptBytes = 64 * 1024;

    /// <summary>Most cookies of the server that are kept; the oldest goes first.</summary>
    public const int MaxCookies = 50;

    /// <summary>Most bytes of cookies in one request; many servers take no larger head than that.</summary>
    public const int MaxCookieBytes = 8 * 1024;

    /// <summary>The longest life of a cookie that is believed, in seconds: 400 days, as browsers have it.</summary>
    public const long MaxCookieSeconds = 400L * 24 * 3600;

    /// <summary>How long a cancelled request's exchange may go on: the server may still say something, and ends it.</summary>
    public static readonly TimeSpan CancelGrace = TimeSpan.FromSeconds(5);

    /// <summary>How long a cancellation waits for a response to its request to begin: it must not overtake it, and the response may be hours away.</summary>
    public static readonly TimeSpan OvertakingTime = TimeSpan.FromMilliseconds(200);

    /// <summary>How long what follows an answer on its own stream is still read.</summary>
    public static readonly TimeSpan TailTime = TimeSpan.FromSeconds(2);

    /// <summary>How long the client has for the errors that end its requests when the bridge ends: one that does not read must not hold up the exit.</summary>
    public static readonly TimeSpan LastWordsTime = TimeSpan.FromMilliseconds(500);

    /// <summary>How long the end of the session may take: a server that is gone must not hold up the exit.</summary>
    public static readonly TimeSpan FarewellTime = TimeSpan.FromSeconds(1);

    /// <summary>The first pause before another attempt to reach the server; each further one doubles it.</summary>
    public static readonly TimeSpan FirstPause = TimeSpan.FromMilliseconds(100);

    /// <summary>The longest pause before another attempt to reach the server for a request that waits.</summary>
    public static readonly TimeSpan MaxPause = TimeSpan.FromSeconds(2);

    /// <summary>The shortest wait before a stream is opened again, whatever its server asks for; doubles up to a second while nothing comes.</summary>
    public static readonly TimeSpan MinRetry = TimeSpan.FromMilliseconds(100);

    /// <summary>How long to wait before a stream is opened again if the server has not said so (<c>retry</c>).</summary>
    public static readonly TimeSpan DefaultRetry = TimeSpan.FromSeconds(1);

    /// <summary>The longest wait that a server's <c>retry</c> is believed for, and the longest pause between two attempts to open its stream.</summary>
    public static readonly TimeSpan MaxRetry = TimeSpan.FromSeconds(30);
}
