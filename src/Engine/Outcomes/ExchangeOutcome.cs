using System.Net;
using McpProxyFast.Http1;

namespace McpProxyFast.Outcomes;

/// <summary>
/// The facts about one exchange (a request and its response). They are set while the exchange runs, and reported once when it ends. A connection uses one
/// object for all its exchanges.
/// </summary>
internal sealed class ExchangeOutcome
{
    /// <summary>Copies of the parts of the request that an observer gets; empty if there is no observer and exchanges are not logged.</summary>
    private RequestCopy _request;

    /// <summary>How the exchange ended; null until it has ended.</summary>
    public ExchangeEnd? End { get; set; }

    /// <summary>The status code that the client was sent; 0 if it was sent none.</summary>
    public int Status { get; set; }

    /// <summary>Why the request, or the rest of its body, was refused; None if it was not.</summary>
    public RefusalReason Refusal { get; set; }

    /// <summary>The rule of HTTP that the upstream's response broke; None if it broke none.</summary>
    public Violation UpstreamViolation { get; set; }

    /// <summary>What failed, other than the request; None if nothing failed.</summary>
    public FaultReason Fault { get; set; }

    /// <summary>A code that is more exact than the code of <see cref="Fault"/> and replaces it; null if there is none.</summary>
    public string? Code { get; set; }

    /// <summary>Why no connection to the upstream could be made, for the log; null if nothing is known about it, or something else failed.</summary>
    public ConnectFailure? Failure { get; set; }

    /// <summary>
    /// The target's new URL, from a redirect that the client got. Null if the client got no redirect, if the redirect has no such URL, or if the warning about
    /// redirects has been logged already.
    /// </summary>
    public string? MovedTo { get; set; }

    /// <summary>How many times the request was sent to the upstream.</summary>
    public int Attempts { get; set; }

    /// <summary>Whether the request was last sent on a connection that had carried an exchange before.</summary>
    public bool IsUpstreamReused { get; set; }

    /// <summary>The verdict on the caller's token; null if no token was checked.</summary>
    public TokenVerdict? Verdict { get; set; }

    /// <summary>The client's IP address; null if it is not known.</summary>
    public IPAddress? Peer { get; set; }

    /// <summary>
    /// When the request's head was complete, or when receiving it failed, as a timestamp of the clock; 0 if there is no observer and exchanges are not logged.
    /// </summary>
    public long StartedAt { get; set; }

    /// <summary>When the first byte of the answer was sent, as a timestamp of the clock; 0 if no byte was sent.</summary>
    public long FirstByteAt { get; set; }

    /// <summary>How many bytes of the request were read.</summary>
    public long BytesReceived { get; set; }

    /// <summary>How many bytes were sent to the client.</summary>
    public long BytesSent { get; set; }

    /// <summary>The code of the fault or the refusal; empty if there was neither. The codes never change in later versions.</summary>
    public string Reason => End switch
    {
        ExchangeEnd.Answered or ExchangeEnd.AnsweredByProxy => "",
        _ when Fault is not FaultReason.None => Code ?? Outcomes.Fault.For(Fault).Code,
        _ when Refusal is not RefusalReason.None => Outcomes.Refusal.For(Refusal).Code,
        _ => "",
    };

    /// <summary>The rule that the client broke; empty if it broke none.</summary>
    public string Rule => Refusal is RefusalReason.None ? "" : Outcomes.Refusal.For(Refusal).Rule;

    /// <summary>Copies the parts of the request that an observer gets, since the receive buffer may have dropped them when the exchange ends.</summary>
    public void Copy(RequestHead head) => _request.Take(head);

    /// <summary>Resets everything, for the next exchange.</summary>
    public void Clear()
    {
        _request.Clear();
        End = null;
        Status = 0;
        Refusal = RefusalReason.None;
        UpstreamViolation = Violation.None;
        Fault = FaultReason.None;
        Code = null;
        Failure = null;
        MovedTo = null;
        Attempts = 0;
        IsUpstreamReused = false;
        Verdict = null;
        Peer = null;
        StartedAt = 0;
        FirstByteAt = 0;
        BytesReceived = 0;
        BytesSent = 0;
    }

    /// <summary>Creates the report for the observer.</summary>
    /// <param name="clock">The clock that made the timestamps.</param>
    public ExchangeReport ToReport(TimeProvider clock) => new()
    {
        End = End!.Value,
        Status = Status,
        Reason = Reason,
        Rule = Rule,
        Duration = StartedAt == 0 ? TimeSpan.Zero : clock.GetElapsedTime(StartedAt),
        TimeToFirstByte = FirstByteAt == 0 ? null : clock.GetElapsedTime(StartedAt, FirstByteAt),
        Attempts = Attempts,
        Method = _request.Method,
        Path = _request.Path,
        Query = _request.Query,
        McpMethod = _request.McpMethod,
        McpName = _request.McpName,
        Caller = Verdict?.Caller,
        Peer = Peer,
        BytesReceived = BytesReceived,
        BytesSent = BytesSent,
        IsUpstreamReused = IsUpstreamReused,
    };
}
