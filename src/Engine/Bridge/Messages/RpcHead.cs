namespace McpProxyFast.Bridge.Messages;

/// <summary>
/// The parts of one message that are needed to route it. <see cref="MessageScanner"/> reads them. They stay valid when the message is disposed of.
/// </summary>
internal sealed class RpcHead
{
    /// <summary>The kind of the message.</summary>
    public MessageKind Kind { get; set; }

    /// <summary>Why it is not a valid message; set if the kind is <see cref="MessageKind.Broken"/>.</summary>
    public MessageFault Fault { get; set; }

    /// <summary>The message's id. Null for notifications, for batches, and for errors without an id. For a broken message: the id if one was found.</summary>
    public MessageId? Id { get; set; }

    /// <summary>The method of a request or notification (for a known method, the string in <see cref="Methods"/>); otherwise empty.</summary>
    public string Method { get; set; } = "";

    /// <summary>
    /// What the call is about: for <c>resources/*</c> the <c>params.uri</c>, for <c>tasks/*</c> the <c>params.taskId</c>, otherwise <c>params.name</c> or else
    /// <c>params.uri</c>. Null if that is not a string of at most <see cref="MessageScanner.MaxTextBytes"/>.
    /// </summary>
    public string? Name { get; set; }

    /// <summary>
    /// The protocol revision: <c>params.protocolVersion</c> of an <c>initialize</c>, otherwise the one in <c>_meta</c>. Null if that is not a string.
    /// </summary>
    public string? ProtocolVersion { get; set; }

    /// <summary>The progress token in a request's <c>_meta</c>, or in a progress notification. Null if there is none.</summary>
    public MessageId? ProgressToken { get; set; }

    /// <summary><c>params.requestId</c>: in a cancellation, the id of the request that is cancelled. Null if there is none.</summary>
    public MessageId? CancelledId { get; set; }

    /// <summary>The id of the <c>subscriptions/listen</c> whose stream a notification of 2026-07-28 belongs to. Null if there is none.</summary>
    public MessageId? SubscriptionId { get; set; }

    /// <summary><c>traceparent</c> of <c>_meta</c>, unchecked. Null if that is not a string.</summary>
    public string? TraceParent { get; set; }

    /// <summary><c>tracestate</c> of <c>_meta</c>, unchecked. Null if that is not a string.</summary>
    public string? TraceState { get; set; }

    /// <summary><c>result.resultType</c> of a response. Null if that is not a string, as in all revisions before 2026-07-28.</summary>
    public string? ResultType { get; set; }

    /// <summary><c>error.code</c> of an error response; 0 if that is not an integer.</summary>
    public int ErrorCode { get; set; }

    /// <summary>Whether it is a request or a notification.</summary>
    public bool IsCall => Kind is MessageKind.Request or MessageKind.Notification;

    /// <summary>Whether it answers a request.</summary>
    public bool IsAnswer => Kind is MessageKind.Response or MessageKind.ErrorResponse;

    /// <summary>
    /// Whether the message names its revision itself, as messages of 2026-07-28 do. Such a message belongs to no session. If the stream of its answer breaks
    /// off, the rest cannot be fetched.
    /// </summary>
    public bool IsWithoutSession => ProtocolVersion is not null && Method != Methods.Initialize;

    /// <summary>Returns a copy of the head with another id and revision.</summary>
    public RpcHead As(MessageId? id, string revision)
    {
        var head = (RpcHead)MemberwiseClone();
        head.Id = id;
        head.ProtocolVersion = revision;
        return head;
    }
}
