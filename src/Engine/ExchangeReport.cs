using System.Net;

namespace McpProxyFast;

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

/// <summary>One exchange, after the fact: enough to write an access log from.</summary>
/// <remarks>
/// Valid only during the call that hands it over, which the compiler sees to: what is to be kept must be copied. The spans are bytes as the client sent them.
/// They have no control characters and, except for <see cref="McpMethod"/> and <see cref="McpName"/>, no bytes beyond ASCII; quotes are possible. The members
/// can be set, so that a host can test its observer.
/// </remarks>
public readonly ref struct ExchangeReport
{
    /// <summary>How it ended.</summary>
    public ExchangeEnd End { get; init; }

    /// <summary>The status the client was sent; 0 if none was.</summary>
    public int Status { get; init; }

    /// <summary>A stable code of the refusal or fault, as in the counters; empty if there was none.</summary>
    public string Reason { get => field ?? ""; init; }

    /// <summary>The rule that the client broke, such as <c>RFC 9112 §5.1</c>; empty if it broke none.</summary>
    public string Rule { get => field ?? ""; init; }

    /// <summary>From the whole request head to the end.</summary>
    public TimeSpan Duration { get; init; }

    /// <summary>From the whole request head to the first byte of the answer; null if there was no answer.</summary>
    public TimeSpan? TimeToFirstByte { get; init; }

    /// <summary>How often the request was sent to the upstream; 0 if it was not.</summary>
    public int Attempts { get; init; }

    /// <summary>The request's method; empty if the head was malformed, as are all that follow from it.</summary>
    public ReadOnlySpan<byte> Method { get; init; }

    /// <summary>The request target's path, as the client sent it, without the query.</summary>
    public ReadOnlySpan<byte> Path { get; init; }

    /// <summary>The query without its <c>?</c>; empty if there is none.</summary>
    /// <remarks>Queries may hold secrets, which is why it stands apart from the path: think before it is logged.</remarks>
    public ReadOnlySpan<byte> Query { get; init; }

    /// <summary>The value of <c>Mcp-Method</c>; empty if the client sent none, or several.</summary>
    public ReadOnlySpan<byte> McpMethod { get; init; }

    /// <summary>The value of <c>Mcp-Name</c>: the tool, prompt or resource; empty if the client sent none, or several.</summary>
    public ReadOnlySpan<byte> McpName { get; init; }

    /// <summary>Who came in: <see cref="TokenVerdict.Caller"/>; null if tokens are not checked, or the request had no good one.</summary>
    public string? Caller { get; init; }

    /// <summary>The address of the client's connection; null if the host named none.</summary>
    public IPAddress? Peer { get; init; }

    /// <summary>Bytes of the request that were read from the client: head and body as they came.</summary>
    public long BytesReceived { get; init; }

    /// <summary>Bytes of the answer that were sent to the client: heads and body.</summary>
    public long BytesSent { get; init; }

    /// <summary>The last attempt went over an upstream connection that had carried an exchange before.</summary>
    public bool IsUpstreamReused { get; init; }
}
