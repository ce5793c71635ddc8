using System.Buffers;
using System.Text.Json;
using McpProxyFast.Bridge.Messages;

namespace McpProxyFast.Bridge.Eras;

/// <summary>
/// Decides from the answer to <c>initialize</c> whether the server is possibly one that speaks only 2026-07-28, which has no handshake (revision 2026-07-28,
/// "Backward Compatibility").
/// </summary>
internal static class EraDetection
{
    /// <summary>The error code of revision 2026-07-28 that says that the headers of a POST do not match its message.</summary>
    public const int HeaderMismatch = -32020;

    /// <summary>
    /// The <c>data.reason</c> of the bridge's own errors for an HTTP response that was not an MCP message. A server that speaks only 2026-07-28 may answer so.
    /// </summary>
    private static readonly string[] Answered = ["upstream-status", "upstream-response-invalid", "upstream-answer-missing", "transport-unsuitable"];

    /// <summary>Whether the bridge should find out with <c>server/discover</c> whether the server speaks 2026-07-28.</summary>
    /// <param name="answer">The answer to <c>initialize</c>.</param>
    /// <param name="head">The head of the answer.</param>
    /// <remarks>
    /// A server that speaks only 2026-07-28 does not know <c>initialize</c> (404, -32601), misses headers or keys of <c>_meta</c> (400, -32602), or says which
    /// revisions it knows (-32022). Other servers give the same errors, so every error without a <c>data.reason</c> counts. Errors of the bridge have one. They
    /// count if the server has answered, but not if it was not reached, or a person has to sign in first.
    /// </remarks>
    public static bool IsWorthAsking(in ReadOnlySequence<byte> answer, RpcHead head)
    {
        if (head.Kind is not MessageKind.ErrorResponse)
        {
            return false;
        }

        string? reason = JsonSlice.Find(answer, "error"u8) is { } error
            && JsonSlice.Find(error.Value, "data"u8) is { Kind: JsonTokenType.StartObject } data
                ? JsonSlice.Find(data.Value, "reason"u8)?.Text
                : null;
        return reason is null || Array.IndexOf(Answered, reason) >= 0;
    }
}
