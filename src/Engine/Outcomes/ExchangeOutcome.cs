using System.Net;
using McpProxyFast.Http1;

namespace McpProxyFast.Outcomes;

/// <summary>
/// What is known of one exchange: it is filled while the exchange runs, and reported once at the end. The object is reused for the next exchange.
/// </summary>
internal sealed class ExchangeOutcome
{
    /// <summary>The parts of the request that an observer gets; copied only if there is an observer or the exchanges are logged.</summary>
    private RequestCopy _request;

    /// <summary>How the exchange ended; null until it has ended.</summary>
    public ExchangeEnd? End { get; set; }

    /// <summary>The status that the client was sent; 0 if none was.</summary>
    public int Status { get; set; }

    /// <summary>Why the request, or the rest of its body, was refused; None if it was not.</summary>
    public RefusalReason Refusal { get; set; }

    /// <summary>The rule that the upstream's answer broke; None if it broke none.</summary>
    public Violation UpstreamViolation { get; set; }

    /// <summary>What failed outside the request itself; None if nothing did.</summary>
    public FaultReason Fault { get; set; }

    /// <summary>A more exact code than the fault's own; null to use the fault's own.</summary>
    public string? Code { get; set; }

    /// <summary>Why no connection to the upstream could be made, for the log; null if that is not what failed.</summary>
    public ConnectFailure? Failure { get; set; }

    /// <summary>The URL to which the target has moved, as far as a redirect that the client got says so; null if none did, or if it need not be said.</summary>
    public string? MovedTo { get; set; }

    /// <summary>How often the request was sent to the upstream.</summary>
    public int Attempts { get; set; }

    /// <summary>Whether the last attempt used a connection that had carried an exchange before.</summary>
    public bool IsUpstreamReused { get; set; }

    /// <summary>The verdict on the caller's token; null if none was checked.</summary>
    public TokenVerdict? Verdict { get; set; }

    /// <summary>The client's address; null if there is none.</summary>
    public IPAddress? Peer { get; set; }

    /// <summary>When the request's head was complete, as a timestamp of the clock; 0 if nobody listens.</summary>
    public long StartedAt { get; set; }

    /// <summary>When the first byte of the answer was sent, as a timestamp of the clock; 0 if none was sent.</summary>
    public long FirstByteAt { get; set; }

    /// <summary>How many bytes of the request were read.</summary>
    public long BytesReceived { get; set; }

    /// <summary>How many bytes were sent to the client.</summary>
    public long BytesSent { get; set; }

    /// <summary>A code that says what went wrong; empty if nothing did. The codes never change.</summary>
    public string Reason => End switch
    {
        ExchangeEnd.Answered or ExchangeEnd.AnsweredByProxy => "",
        _ when Fault is not FaultReason.None => Code ?? Outcomes.Fault.For(Fault).Code,
        _ when Refusal is not RefusalReason.None => Outcomes.Refusal.For(Refusal).Code,
        _ => "",
    };

    /// <summary>The rule that the client broke; empty if it broke none.</summary>
    public string Rule => Refusal is RefusalReason.None ? "" : Outcomes.Refusal.For(Refusal).Rule;

    /// <summary>Copies the parts of the request that an observer gets: the request's bytes may be gone when the exchange ends.</summary>
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

    /// <summary>The report for the observer.</summary>
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
