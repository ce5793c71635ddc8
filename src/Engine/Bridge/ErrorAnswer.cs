using System.Buffers;
using System.Net;
using McpProxyFast.Bridge.Messages;
using McpProxyFast.Outcomes;

namespace McpProxyFast.Bridge;

/// <summary>An HTTP response without a success status, made by the server or by the proxy.</summary>
/// <param name="Status">The HTTP status.</param>
/// <param name="Error">The raw JSON of the JSON-RPC error in the body; empty if there is none.</param>
/// <param name="Code">The JSON-RPC error's <c>code</c>; 0 if there is none.</param>
/// <param name="Reason">The JSON-RPC error's <c>data.reason</c>; empty if there is none.</param>
/// <param name="Message">The JSON-RPC error's <c>message</c>; empty if there is none.</param>
internal sealed record ErrorAnswer(int Status, ReadOnlyMemory<byte> Error, int Code, string Reason, string Message)
{
    private const int MethodNotFound = -32601;

    /// <summary>The proxy's values of <c>data.reason</c> that mean that nothing reached the server, so the request may be sent again.</summary>
    private static readonly string[] NotConnected =
    [
        Fault.For(FaultReason.UpstreamNameUnresolved).Code,
        Fault.For(FaultReason.UpstreamNameTimeout).Code,
        Fault.For(FaultReason.UpstreamUnreachable).Code,
        Fault.For(FaultReason.UpstreamConnectTimeout).Code,
    ];

    /// <summary>
    /// The proxy's values of <c>data.reason</c> that mean that the credential is missing or is being renewed. The server has not processed the request.
    /// </summary>
    private static readonly string[] NotSignedIn = ["sign-in-pending", "credential-ended", "credential-renewed"];

    /// <summary>Whether the body is a JSON-RPC error.</summary>
    public bool IsJsonRpc => !Error.IsEmpty;

    /// <summary>Whether the proxy could not reach the server.</summary>
    public bool IsNotConnected => IsOwn && NotConnected.Contains(Reason);

    /// <summary>Whether the proxy has no valid credential: a person has to sign in, or the credential is being renewed.</summary>
    public bool IsNotSignedIn => IsOwn && NotSignedIn.Contains(Reason);

    /// <summary>Whether the server does not know the session any more: a 404, but not for an unknown method (MCP, "Session Management").</summary>
    public bool IsSessionLost => Status == 404 && Code != MethodNotFound;

    /// <summary>Whether the server may speak only HTTP+SSE at this URL: it refuses the POST with a matching status and no JSON-RPC error.</summary>
    public bool IsForOtherTransport => Status is 400 or 404 or 405 && !IsJsonRpc;

    private bool IsOwn => Status is 502 or 503 or 504;

    /// <summary>Reads a response whose status is not a success.</summary>
    /// <remarks>
    /// The body is ignored if it is an event stream, is too large (<see cref="BridgeLimits.MaxErrorBytes"/>), or has not arrived in full within
    /// <see cref="BridgeLimits.ErrorBodyTime"/>.
    /// </remarks>
    public static async Task<ErrorAnswer> ReadAsync(HttpResponseMessage response, LargeMessages large, CancellationToken cancellationToken)
    {
        int status = (int)response.StatusCode;
        if (AnswerBody.IsEventStream(response))
        {
            return new ErrorAnswer(status, default, 0, "", "");
        }

        using var time = new CancellationTokenSource(BridgeLimits.ErrorBodyTime, large.Clock);
        using var reading = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, time.Token);
        try
        {
            using MessageBuffer? body = await AnswerBody.ReadAsync(response, BridgeLimits.MaxErrorBytes, large, reading.Token).ConfigureAwait(false);
            return body is null ? new ErrorAnswer(status, default, 0, "", "") : Of(status, body.Bytes);
        }
        catch (Exception cut) when (!cancellationToken.IsCancellationRequested && cut is not OutOfMemoryException)
        {
            return new ErrorAnswer(status, default, 0, "", "");
        }
    }

    /// <summary>Makes the JSON-RPC error for a request that got this response.</summary>
    /// <param name="id">The raw JSON of the request's id.</param>
    /// <param name="hasCredential">Whether the bridge has a credential. If not, a 401 means that it is missing.</param>
    public byte[] For(ReadOnlySpan<byte> id, bool hasCredential)
    {
        if (IsJsonRpc)
        {
            return ErrorMessage.Wrap(new ReadOnlySequence<byte>(Error), id);
        }

        if (Status == (int)HttpStatusCode.Unauthorized && !hasCredential)
        {
            BridgeFault missing = BridgeFault.For(BridgeFaultReason.CredentialMissing);
            return ErrorMessage.Build(missing.Code, missing.Sentence, missing.Reason, id, Status);
        }

        BridgeFault fault = BridgeFault.For(BridgeFaultReason.Status);
        return ErrorMessage.Build(fault.Code, $"The server answered with HTTP status {Status} and no JSON-RPC error.", fault.Reason, id, Status);
    }

    /// <summary>Reads the body of an error response.</summary>
    /// <param name="status">The HTTP status.</param>
    /// <param name="body">The body, which may be anything.</param>
    public static ErrorAnswer Of(int status, ReadOnlySequence<byte> body)
    {
        body = Utf8Check.BehindMark(body);
        if (MessageScanner.Scan(body) is not { Kind: MessageKind.ErrorResponse, ErrorCode: var code })
        {
            return new ErrorAnswer(status, default, 0, "", "");
        }

        ReadOnlySequence<byte> error = PartialMessage.Member(body, "error"u8);
        if (JsonSlice.Find(error, "message"u8) is not { } message)
        {
            return new ErrorAnswer(status, default, 0, "", "");
        }

        string? reason = JsonSlice.Find(error, "data"u8) is { } data ? JsonSlice.Find(data.Value, "reason"u8)?.Text : null;
        return new ErrorAnswer(status, error.ToArray(), code, reason ?? "", message.Text ?? "");
    }
}
