using System.Globalization;
using System.Text;
using McpProxyFast.Admission;
using McpProxyFast.Outcomes;

namespace McpProxyFast.Serving;

/// <summary>Makes the proxy's own responses. Nothing of the request is echoed except the JSON-RPC id.</summary>
internal static class OwnReplies
{
    private const int FaultRetrySeconds = 10;

    public static OwnReply NotFound { get; } = new(404, OwnReply.Json, "{\"error\":\"not_found\"}"u8.ToArray());

    /// <summary>The response to <c>OPTIONS</c> or <c>TRACE</c> with <c>Max-Forwards: 0</c>, which end here (RFC 9110 §7.6.2).</summary>
    public static OwnReply LastHop { get; } = new(200, OwnReply.Text, [], "Allow: GET, POST, DELETE, OPTIONS\r\n");

    public static OwnReply TraceNotAllowed { get; } = new(405, OwnReply.Text, "Method Not Allowed"u8.ToArray(), "Allow: GET, POST, DELETE, OPTIONS\r\n");

    public static OwnReply HealthOnlyByGet { get; } = new(405, OwnReply.Text, "Method Not Allowed"u8.ToArray(), "Allow: GET\r\n");

    /// <summary>The answer of the health endpoint: as in ToolHive's <c>thv proxy</c>, but without build information, on purpose.</summary>
    public static OwnReply Health(DateTimeOffset now) => new(
        200,
        OwnReply.Json,
        Encoding.ASCII.GetBytes($$"""{"status":"healthy","timestamp":"{{now.UtcDateTime.ToString("O", CultureInfo.InvariantCulture)}}","transport":""}"""));

    /// <summary>The metadata of the protected resource (RFC 9728). Pages of any origin may read it.</summary>
    public static OwnReply Metadata(ReadOnlyMemory<byte> document, bool isPreflight)
    {
        string lines = Encoding.ASCII.GetString(ProtectedResourceDocument.CorsLines);
        return isPreflight ? new OwnReply(204, OwnReply.Json, [], lines)
            : document.IsEmpty ? NotFound
            : new OwnReply(200, OwnReply.Json, document.ToArray(), lines);
    }

    /// <param name="reason">The reason. Its status and its texts are in <see cref="Refusal.For"/>.</param>
    /// <param name="lines">Additional complete field lines, such as a challenge.</param>
    public static OwnReply Refused(RefusalReason reason, string lines = "")
    {
        Refusal refusal = Refusal.For(reason);
        return refusal.Form switch
        {
            RefusalForm.JsonRpc =>
                new OwnReply(refusal.Status, OwnReply.Json, JsonRpcError.Build(JsonRpcError.InvalidRequest, refusal.Sentence, "", default), lines),
            RefusalForm.OAuth => new OwnReply(refusal.Status, OwnReply.Json, OAuthError(refusal), lines),
            _ => new OwnReply(refusal.Status, OwnReply.Text, Encoding.UTF8.GetBytes($"{refusal.Sentence} ({refusal.Rule})\n"), lines),
        };
    }

    /// <param name="reason">What failed.</param>
    /// <param name="id">The raw JSON-RPC id of the request; empty if it is not known.</param>
    /// <param name="detail">Texts that replace those of <see cref="Fault.For"/>, or are added; null for none.</param>
    public static OwnReply Faulted(FaultReason reason, ReadOnlySpan<byte> id, FaultDetail? detail = null)
    {
        Fault fault = Fault.For(reason);
        int seconds = detail is { RetryAfterSeconds: > 0 } ? detail.RetryAfterSeconds : FaultRetrySeconds;
        string lines = fault.Status == 503 ? string.Create(CultureInfo.InvariantCulture, $"Retry-After: {seconds}\r\n") : "";
        byte[] error = JsonRpcError.Build(JsonRpcError.InternalError, detail?.Message ?? fault.Sentence, detail?.Code ?? fault.Code, id);
        return new OwnReply(fault.Status, OwnReply.Json, error, lines);
    }

    private static byte[] OAuthError(Refusal refusal) =>
        Encoding.UTF8.GetBytes($$"""{"error":"{{refusal.OAuthError}}","error_description":"{{refusal.Sentence}}"}""");
}
