using McpProxyFast.Bridge.Messages;

namespace McpProxyFast.Bridge.Eras;

/// <summary>Tells a server's era by what it answers (revision 2026-07-28, "Backward Compatibility").</summary>
internal static class EraDetection
{
    /// <summary>The headers of a POST do not match its message.</summary>
    public const int HeaderMismatch = -32020;

    private const int MissingClientCapability = -32021;
    private const int UnsupportedVersion = -32022;

    /// <summary>Whether only a server of 2026-07-28 or later says so: these codes are the specification's own since then.</summary>
    public static bool MeansModern(MessageHead answer) =>
        answer is { Kind: MessageKind.ErrorResponse, ErrorCode: HeaderMismatch or MissingClientCapability or UnsupportedVersion };

    /// <summary>Whether a server that answers <c>initialize</c> like that may have no handshake, so that <c>server/discover</c> is worth asking.</summary>
    /// <param name="status">The status of its answer.</param>
    /// <param name="answer">The message in it; null where there was none.</param>
    /// <remarks>
    /// Such a server does not know the method (404, -32601), misses headers or keys of <c>_meta</c> (400, -32602), or says which revisions it knows.
    /// </remarks>
    public static bool MayBeModernOnly(int status, MessageHead? answer) =>
        answer is { Kind: MessageKind.ErrorResponse } || (answer is null && status is 400 or 404 or 405);
}
