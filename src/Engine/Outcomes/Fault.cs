using System.Diagnostics;

namespace McpProxyFast.Outcomes;

/// <summary>Why an exchange failed although its request was not refused. This list is complete.</summary>
internal enum FaultReason : byte
{
    None,
    UpstreamNameUnresolved,
    UpstreamNameTimeout,
    UpstreamUnreachable,
    UpstreamTlsFailed,
    UpstreamConnectTimeout,
    UpstreamClosedEarly,
    UpstreamResponseInvalid,
    UpstreamResponseTimeout,
    UpstreamAbortedBody,
    CredentialUnavailable,
    VerdictUnavailable,
    ExchangeTargetRefused,
    ExchangeRefused,
    ExchangeAnswerUnusable,
    ExchangeUnavailable,
    ClientGone,
    ClientTooSlow,
    Stopped,
    InternalError,
}

/// <summary>
/// The reply to a client after a fault: a status, a code that never changes in later versions, and a sentence. Also the side that caused the fault, for
/// metrics.
/// </summary>
internal readonly record struct Fault(int Status, string Code, string Sentence, Side Side = Side.Upstream)
{
    /// <summary>The table of all faults: returns the reply for a reason. Status 0 means that no reply is sent and the client's connection is closed.</summary>
    public static Fault For(FaultReason reason) => reason switch
    {
        FaultReason.UpstreamNameUnresolved => new(502, "upstream-name-unresolved", "The upstream's name could not be resolved."),
        FaultReason.UpstreamNameTimeout => new(504, "upstream-name-timeout", "The upstream's name was not resolved in time."),
        FaultReason.UpstreamUnreachable => new(502, "upstream-unreachable", "The upstream could not be reached."),
        FaultReason.UpstreamTlsFailed => new(502, "upstream-tls-failed", "The TLS handshake with the upstream failed."),
        FaultReason.UpstreamConnectTimeout => new(504, "upstream-connect-timeout", "The upstream could not be reached in time."),
        FaultReason.UpstreamClosedEarly => new(502, "upstream-closed-early", "The upstream closed the connection before it answered."),
        FaultReason.UpstreamResponseInvalid => new(502, "upstream-response-invalid", "The upstream's answer is not valid HTTP/1.1."),
        FaultReason.UpstreamResponseTimeout => new(504, "upstream-response-timeout", "The upstream did not read the request or did not answer in time."),
        FaultReason.CredentialUnavailable => new(503, "credential-unavailable", "No credential for the upstream is available now.", Side.Provider),
        FaultReason.VerdictUnavailable => new(503, "verdict-unavailable", "The access token cannot be checked now.", Side.Provider),
        FaultReason.ExchangeTargetRefused =>
            new(502, "exchange-target-refused", "The authorization server does not issue tokens for the upstream's audience or resource.", Side.Provider),
        FaultReason.ExchangeRefused => new(502, "exchange-refused", "The authorization server refused the proxy's request to exchange a token.", Side.Provider),
        FaultReason.ExchangeAnswerUnusable =>
            new(502, "exchange-answer-unusable", "The authorization server answered the token exchange without a usable token.", Side.Provider),
        FaultReason.ExchangeUnavailable => new(503, "exchange-unavailable", "No token can be exchanged at the moment.", Side.Provider),
        FaultReason.UpstreamAbortedBody => new(0, "upstream-aborted-body", "The upstream's response ended early."),
        FaultReason.ClientGone => new(0, "client-gone", "The client closed the connection before it had the whole response.", Side.Client),
        FaultReason.ClientTooSlow => new(0, "client-too-slow", "The client did not read the response in time.", Side.Client),
        FaultReason.InternalError => new(0, "internal-error", "The proxy failed because of a bug; please report it.", Side.Proxy),
        FaultReason.Stopped => new(0, "stopped", "The proxy was stopped.", Side.Proxy),
        _ => throw new UnreachableException($"{reason} has no reply."),
    };
}
