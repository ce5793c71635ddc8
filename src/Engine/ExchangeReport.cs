using System.Net;

namespace McpProxyFast;

/// <summary>How an exchange ended.</summary>
public enum ExchangeEnd
{
    /// <summary>The client got the upstream's complete answer.</summary>
    Answered,

    /// <summary>The proxy answered by itself: health, metadata, a preflight.</summary>
    AnsweredByProxy,

    /// <summary>The proxy refused the request (4xx).</summary>
    Refused,

    /// <summary>Something outside the request failed before an answer began; the client got a 5xx.</summary>
    Faulted,

    /// <summary>The answer was cut after it had begun.</summary>
    Cut,

    /// <summary>The client went away before the answer was complete.</summary>
    ClientGone,
}

/// <summary>A report of one exchange that has ended. It has enough for an access log.</summary>
/// <remarks>
/// It is valid only during the call of the observer; the compiler ensures that. Copy what must be kept. The spans are bytes as the client sent them. They have
/// no control characters and, except for <see cref="McpMethod"/> and <see cref="McpName"/>, no bytes beyond ASCII; quotes are possible. The members can be set,
/// so that a host can test its observer.
/// </remarks>
public readonly ref struct ExchangeReport
{
    /// <summary>How the exchange ended.</summary>
    public ExchangeEnd End { get; init; }

    /// <summary>The status that the client got; 0 if it got none.</summary>
    public int Status { get; init; }

    /// <summary>The code of the refusal or fault, the same as in the counters; empty if there was none. Codes never change.</summary>
    public string Reason { get => field ?? ""; init; }

    /// <summary>The rule that the client broke, such as <c>RFC 9112 §5.1</c>; empty if it broke none.</summary>
    public string Rule { get => field ?? ""; init; }

    /// <summary>The time from the complete request head to the end.</summary>
    public TimeSpan Duration { get; init; }

    /// <summary>The time from the complete request head to the first byte of the answer; null if there was no answer.</summary>
    public TimeSpan? TimeToFirstByte { get; init; }

    /// <summary>How often the request was sent to the upstream; 0 if never.</summary>
    public int Attempts { get; init; }

    /// <summary>The request's method. If the head was malformed, this and the other parts of the request are empty.</summary>
    public ReadOnlySpan<byte> Method { get; init; }

    /// <summary>The request target's path, as the client sent it, without the query.</summary>
    public ReadOnlySpan<byte> Path { get; init; }

    /// <summary>The query without its <c>?</c>; empty if there is none.</summary>
    /// <remarks>Queries may contain secrets, so the query is separate from the path: consider whether to log it.</remarks>
    public ReadOnlySpan<byte> Query { get; init; }

    /// <summary>The value of <c>Mcp-Method</c>; empty if the client sent none, or several.</summary>
    public ReadOnlySpan<byte> McpMethod { get; init; }

    /// <summary>The value of <c>Mcp-Name</c>: the tool, prompt or resource; empty if the client sent none, or several.</summary>
    public ReadOnlySpan<byte> McpName { get; init; }

    /// <summary>The caller, as in <see cref="TokenVerdict.Caller"/>; null if tokens are not checked, or the request had no valid token.</summary>
    public string? Caller { get; init; }

    /// <summary>The address of the client's connection; null if it is not known.</summary>
    public IPAddress? Peer { get; init; }

    /// <summary>How many bytes of the request's head and body were read from the client.</summary>
    public long BytesReceived { get; init; }

    /// <summary>How many bytes of the answer's heads and body were sent to the client.</summary>
    public long BytesSent { get; init; }

    /// <summary>Whether the last attempt used an upstream connection that had carried an exchange before.</summary>
    public bool IsUpstreamReused { get; init; }
}
