using System.Buffers;
using System.Text.Json;
using McpProxyFast.Bridge.Messages;

namespace McpProxyFast.Bridge.Eras;

/// <summary>Tells whether a server may be of the era without a handshake, by its answer to one (revision 2026-07-28, "Backward Compatibility").</summary>
internal static class EraDetection
{
    /// <summary>A server of 2026-07-28 says: the field lines of a POST do not match its message.</summary>
    public const int HeaderMismatch = -32020;

    /// <summary>Reasons of the bridge's own errors that such a server can cause, because its answer was not MCP.</summary>
    private static readonly string[] Answered = ["upstream-status", "upstream-response-invalid", "upstream-answer-missing", "transport-unsuitable"];

    /// <summary>Whether it is worth asking for <c>server/discover</c>.</summary>
    /// <param name="answer">The answer to <c>initialize</c>.</param>
    /// <param name="head">Its head.</param>
    /// <remarks>
    /// Such a server does not know the method (404, -32601), misses headers or keys of <c>_meta</c> (400, -32602), or says which revisions it knows (-32022).
    /// No error is one that only such servers give, so any of a server's own counts. One that was not reached, or wants a person to sign in, has not answered.
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
