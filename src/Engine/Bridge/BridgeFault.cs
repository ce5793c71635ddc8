using System.Diagnostics;

namespace McpProxyFast.Bridge;

/// <summary>Why the bridge itself answers a request with an error.</summary>
internal enum BridgeFaultReason
{
    /// <summary>The server's answer broke off, and the rest cannot be fetched.</summary>
    AnswerCut,

    /// <summary>The server ended its response without an answer.</summary>
    AnswerMissing,

    /// <summary>The server's response is not a JSON-RPC message.</summary>
    AnswerInvalid,

    /// <summary>The server's answer is larger than <see cref="BridgeLimits.MaxMessageBytes"/>.</summary>
    AnswerTooLarge,

    /// <summary>The server answered with an HTTP error and no JSON-RPC error.</summary>
    Status,

    /// <summary>The server speaks no transport that the settings allow.</summary>
    NoTransport,

    /// <summary>The server wants a credential, and the bridge was started without one.</summary>
    CredentialMissing,

    /// <summary>The connection ended before the server answered.</summary>
    ClosedEarly,

    /// <summary>The server's session has ended and no new one could be made.</summary>
    SessionLost,

    /// <summary>The bridge was stopped.</summary>
    Stopped,

    /// <summary>Too many of the client's requests wait for an answer (<see cref="BridgeLimits.MaxOpenRequests"/>).</summary>
    TooManyRequests,

    /// <summary>The client's messages that have not been sent yet take too much memory.</summary>
    TooManyBytes,

    /// <summary>Another open request has the same id.</summary>
    IdInUse,

    /// <summary>The client's message is larger than <see cref="BridgeLimits.MaxMessageBytes"/>.</summary>
    MessageTooLarge,

    /// <summary>The batch has more messages than <see cref="BridgeLimits.MaxBatch"/>.</summary>
    BatchTooLong,

    /// <summary>The request calls a tool that the bridge's settings hide.</summary>
    ToolIgnored,

    /// <summary>The bridge has a bug.</summary>
    InternalError,
}

/// <summary>The error that a client gets: a JSON-RPC code, a stable word in <c>data.reason</c>, and a sentence.</summary>
internal readonly record struct BridgeFault(int Code, string Reason, string Sentence)
{
    private const int InvalidRequest = -32600;
    private const int InvalidParams = -32602;
    private const int InternalError = -32603;

    /// <summary>Returns the error for a reason.</summary>
    public static BridgeFault For(BridgeFaultReason reason) => reason switch
    {
        BridgeFaultReason.AnswerCut => new(InternalError, "upstream-aborted-body", "The server's response ended before the answer was complete."),
        BridgeFaultReason.AnswerMissing => new(InternalError, "upstream-answer-missing", "The server ended its response without an answer."),
        BridgeFaultReason.AnswerInvalid => new(InternalError, "upstream-response-invalid", "The server's response is not a JSON-RPC message."),
        BridgeFaultReason.AnswerTooLarge => new(InternalError, "upstream-answer-too-large", "The server's answer is larger than 64 MiB."),
        BridgeFaultReason.Status => new(InternalError, "upstream-status", "The server answered with an HTTP error."),
        BridgeFaultReason.NoTransport => new(
            InternalError, "transport-unsuitable",
                "The server supports no MCP transport that the bridge may use. Check the server's URL and the transport setting."),
        BridgeFaultReason.CredentialMissing => new(
            InternalError, "credential-missing", "The server asks for a sign-in, but the bridge has no credential. Give it one in the bridge's settings."),
        BridgeFaultReason.ClosedEarly => new(InternalError, "upstream-closed-early", "The server closed the connection before it answered."),
        BridgeFaultReason.SessionLost => new(InternalError, "session-lost", "The server has ended the session, and a new one could not be started."),
        BridgeFaultReason.Stopped => new(InternalError, "stopped", "The bridge was stopped before the server answered."),
        BridgeFaultReason.TooManyRequests => new(InternalError, "too-many-requests",
            $"{BridgeLimits.MaxOpenRequests} requests have no answer yet, which is the maximum; wait for answers before you send more."),
        BridgeFaultReason.TooManyBytes => new(
            InternalError, "too-many-bytes",
                "The messages that wait to be sent to the server take too much memory together; wait for answers before you send more."),
        BridgeFaultReason.IdInUse => new(InvalidRequest, "id-in-use", "A request with this id has no answer yet; give each request an id of its own."),
        BridgeFaultReason.MessageTooLarge => new(InvalidRequest, "message-too-large", "The message is larger than 64 MiB."),
        BridgeFaultReason.BatchTooLong => new(InvalidRequest, "batch-too-long", "The batch has more than 1000 messages."),
        BridgeFaultReason.ToolIgnored => new(InvalidParams, "tool-ignored", "Unknown tool: the bridge's settings hide it."),
        BridgeFaultReason.InternalError => new(InternalError, "internal-error", "The bridge failed because of a bug; its log says more. Please report it."),
        _ => throw new UnreachableException($"{reason} has no answer."),
    };
}
