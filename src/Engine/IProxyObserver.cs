namespace McpProxyFast;

/// <summary>Told, after the fact, how each exchange ended.</summary>
/// <remarks>Called on the thread that served the exchange, which serves others too: an observer must be quick and must not block or throw.</remarks>
public interface IProxyObserver
{
    /// <summary>An exchange is over.</summary>
    /// <param name="report">What happened; valid only during the call.</param>
    void OnExchangeEnded(in ExchangeReport report);
}

/// <summary>How an exchange ended.</summary>
public enum ExchangeEnd
{
    /// <summary>The upstream's answer reached the client whole.</summary>
    Answered,

    /// <summary>The proxy answered by itself: health, metadata, a preflight.</summary>
    AnsweredByProxy,

    /// <summary>The proxy refused the request (4xx).</summary>
    Refused,

    /// <summary>Something outside failed before an answer began (5xx).</summary>
    Faulted,

    /// <summary>The answer was cut after it had begun.</summary>
    Cut,

    /// <summary>The client went away before the answer was whole.</summary>
    ClientGone,
}

/// <summary>One exchange, after the fact.</summary>
/// <param name="End">How it ended.</param>
/// <param name="Status">The status the client was sent; 0 where none was.</param>
/// <param name="Reason">A stable code of the refusal or fault; empty where there was none.</param>
/// <param name="Duration">From the whole request head to the end.</param>
/// <param name="Attempts">How often the request was sent to the upstream; 0 where it was not.</param>
public readonly record struct ExchangeReport(ExchangeEnd End, int Status, string Reason, TimeSpan Duration, int Attempts);
