using System.Net;

namespace McpProxyFast;

/// <summary>How an exchange (a request and its response) ended.</summary>
public enum ExchangeEnd
{
    /// <summary>The client got the upstream's complete response.</summary>
    Answered,

    /// <summary>The proxy answered without the upstream: a health check, the metadata of the protected resource, or a CORS preflight.</summary>
    AnsweredByProxy,

    /// <summary>The proxy refused the request (4xx).</summary>
    Refused,

    /// <summary>Something other than the request failed, such as the upstream, before the response began. The client got a 5xx.</summary>
    Faulted,

    /// <summary>The response had begun, but the proxy could not complete it and closed the connection.</summary>
    Cut,

    /// <summary>The client closed the connection before the response was complete.</summary>
    ClientGone,
}

/// <summary>A report of one exchange that has ended. It has enough for an access log.</summary>
/// <remarks>
/// The report is valid only during the call of the observer; the compiler ensures that. Copy what must be kept. The spans are the bytes that the client sent.
/// They have no control characters, but they may have quotes. Only <see cref="McpMethod"/> and <see cref="McpName"/> may have bytes beyond ASCII. The members
/// can be set, so that a host program can test its observer.
/// </remarks>
public readonly ref struct ExchangeReport
{
    /// <summary>How the exchange ended.</summary>
    public ExchangeEnd End { get; init; }

    /// <summary>The status code that the client got; 0 if it got none.</summary>
    public int Status { get; init; }

    /// <summary>The code of the refusal or fault, the same as in the proxy's metrics; empty if there was none. Codes never change in later versions.</summary>
    public string Reason { get => field ?? ""; init; }

    /// <summary>The rule that the client broke, such as <c>RFC 9112 §5.1</c>; empty if it broke none.</summary>
    public string Rule { get => field ?? ""; init; }

    /// <summary>The time from the arrival of the complete request head to the end of the exchange.</summary>
    public TimeSpan Duration { get; init; }

    /// <summary>The time from the arrival of the complete request head to the first byte of the response; null if there was no response.</summary>
    public TimeSpan? TimeToFirstByte { get; init; }

    /// <summary>How many times the request was sent to the upstream; 0 if it was not sent.</summary>
    public int Attempts { get; init; }

    /// <summary>The request's method. If the request head was malformed, this and the other parts of the request are empty.</summary>
    public ReadOnlySpan<byte> Method { get; init; }

    /// <summary>The request target's path, as the client sent it, without the query.</summary>
    public ReadOnlySpan<byte> Path { get; init; }

    /// <summary>The query without its <c>?</c>; empty if there is none.</summary>
    /// <remarks>It may contain secrets, so it is separate from the path, and a host can leave it out of its log.</remarks>
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

    /// <summary>How many bytes were sent to the client: the heads of all responses (1xx too) and the body.</summary>
    public long BytesSent { get; init; }

    /// <summary>Whether the request was last sent on an upstream connection that had carried an exchange before.</summary>
    public bool IsUpstreamReused { get; init; }
}
