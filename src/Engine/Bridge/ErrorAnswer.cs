using System.Buffers;
using System.Net;
using McpProxyFast.Bridge.Messages;
using McpProxyFast.Outcomes;

namespace McpProxyFast.Bridge;

/// <summary>A response that is not a success: the proxy's own or the server's.</summary>
/// <param name="Status">The HTTP status.</param>
/// <param name="Error">The raw JSON of the JSON-RPC error in the body; empty if there is none.</param>
/// <param name="Code">Its code; 0 if there is none.</param>
/// <param name="Reason">Its <c>data.reason</c>; empty if there is none.</param>
/// <param name="Message">Its message; empty if there is none.</param>
internal sealed record ErrorAnswer(int Status, ReadOnlyMemory<byte> Error, int Code, string Reason, string Message)
{
    private const int MethodNotFound = -32601;

    /// <summary>The proxy's reasons for which nothing has been sent to the server, so that a request may go again.</summary>
    private static readonly string[] NotConnected =
    [
        Fault.For(FaultReason.UpstreamNameUnresolved).Code,
        Fault.For(FaultReason.UpstreamNameTimeout).Code,
        Fault.For(FaultReason.UpstreamUnreachable).Code,
        Fault.For(FaultReason.UpstreamConnectTimeout).Code,
    ];

    /// <summary>The proxy's reasons that pass once a person has signed in, or a credential is renewed; the request was not processed.</summary>
    private static readonly string[] NotSignedIn = ["sign-in-pending", "credential-ended", "credential-renewed"];

    /// <summary>The body is a JSON-RPC error, so the server, or the proxy, has answered.</summary>
    public bool IsJsonRpc => !Error.IsEmpty;

    /// <summary>The server could not be reached.</summary>
    public bool IsNotConnected => IsOwn && NotConnected.Contains(Reason);

    /// <summary>A sign-in, or a renewal, is under way.</summary>
    public bool IsNotSignedIn => IsOwn && NotSignedIn.Contains(Reason);

    /// <summary>The server does not know the session (MCP, Streamable HTTP, sessions).</summary>
    public bool IsSessionLost => Status == 404 && Code != MethodNotFound;

    /// <summary>The server does not take POSTs at this place, in no words of MCP.</summary>
    public bool IsForOtherTransport => Status is 400 or 404 or 405 && !IsJsonRpc;

    private bool IsOwn => Status is 502 or 503 or 504;

    /// <summary>Reads a response that is not a success.</summary>
    public static async Task<ErrorAnswer> ReadAsync(HttpResponseMessage response, LargeMessages large, CancellationToken cancellationToken)
    {
        int status = (int)response.StatusCode;
        if (AnswerBody.IsEventStream(response))
        {
            return new ErrorAnswer(status, default, 0, "", "");
        }

        try
        {
            using MessageBuffer? body = await AnswerBody.ReadAsync(response, BridgeLimits.MaxErrorBytes, large, cancellationToken).ConfigureAwait(false);
            return body is null ? new ErrorAnswer(status, default, 0, "", "") : Of(status, body.Bytes);
        }
        catch (Exception cut) when (!cancellationToken.IsCancellationRequested && cut is not OutOfMemoryException)
        {
            return new ErrorAnswer(status, default, 0, "", "");
        }
    }

    /// <summary>The JSON-RPC error for a request that this answers.</summary>
    /// <param name="id">The raw JSON of its id.</param>
    /// <param name="hasCredential">Whether a credential is sent, so that a 401 does not mean that it is missing.</param>
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

    /// <summary>What a body says.</summary>
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
