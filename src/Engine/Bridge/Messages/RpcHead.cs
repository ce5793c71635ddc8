namespace McpProxyFast.Bridge.Messages;

/// <summary>What routing needs of one message: read by <see cref="MessageScanner"/>, independent of the message's bytes.</summary>
internal sealed class RpcHead
{
    /// <summary>What it is.</summary>
    public MessageKind Kind { get; set; }

    /// <summary>Why it is not a message; set if the kind is <see cref="MessageKind.Broken"/>.</summary>
    public MessageFault Fault { get; set; }

    /// <summary>
    /// Its id. Null for notifications, batches, and errors that answer what could not be read. Of a broken message: the id if one was seen.
    /// </summary>
    public MessageId? Id { get; set; }

    /// <summary>The method of a request or notification; of those of the specification, the instance in <see cref="Methods"/>. Empty for others.</summary>
    public string Method { get; set; } = "";

    /// <summary>
    /// What the method is about: <c>params.name</c>, else <c>params.uri</c>; of <c>resources/*</c> the URI, of <c>tasks/*</c> the <c>taskId</c>.
    /// Null if that is not a string of at most <see cref="MessageScanner.MaxTextBytes"/>.
    /// </summary>
    public string? Name { get; set; }

    /// <summary>The revision: <c>params.protocolVersion</c> of an <c>initialize</c>, else what <c>_meta</c> says. Null if that is not a string.</summary>
    public string? ProtocolVersion { get; set; }

    /// <summary>The token that a request gives for its progress, or that a progress notification names. Null if there is none.</summary>
    public MessageId? ProgressToken { get; set; }

    /// <summary><c>params.requestId</c>: of a cancellation, the request that is cancelled. Null if there is none.</summary>
    public MessageId? CancelledId { get; set; }

    /// <summary>The subscription whose stream a notification of 2026-07-28 belongs to. Null if there is none.</summary>
    public MessageId? SubscriptionId { get; set; }

    /// <summary><c>traceparent</c> of <c>_meta</c>, unchecked. Null if that is not a string.</summary>
    public string? TraceParent { get; set; }

    /// <summary><c>tracestate</c> of <c>_meta</c>, unchecked. Null if that is not a string.</summary>
    public string? TraceState { get; set; }

    /// <summary><c>result.resultType</c> of a response. Null if that is not a string, as in all revisions before 2026-07-28.</summary>
    public string? ResultType { get; set; }

    /// <summary><c>error.code</c> of an error response; 0 if that is not an integer.</summary>
    public int ErrorCode { get; set; }

    /// <summary>Whether it has a method, so that it starts something and does not answer.</summary>
    public bool IsCall => Kind is MessageKind.Request or MessageKind.Notification;

    /// <summary>Whether it answers a request.</summary>
    public bool IsAnswer => Kind is MessageKind.Response or MessageKind.ErrorResponse;

    /// <summary>
    /// Whether it names its revision itself, as the messages of 2026-07-28 do: it belongs to no session, and the rest of a stream that breaks off is lost.
    /// </summary>
    public bool IsWithoutSession => ProtocolVersion is not null && Method != Methods.Initialize;

    /// <summary>The head of the same message with another id, in another revision.</summary>
    public RpcHead As(MessageId? id, string revision)
    {
        var head = (RpcHead)MemberwiseClone();
        head.Id = id;
        head.ProtocolVersion = revision;
        return head;
    }
}
