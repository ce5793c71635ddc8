namespace McpProxyFast.Bridge.Messages;

/// <summary>The keys of <c>_meta</c> that revision 2026-07-28 defines.</summary>
internal static class MetaKeys
{
    public static ReadOnlySpan<byte> ProtocolVersion => "io.modelcontextprotocol/protocolVersion"u8;

    public static ReadOnlySpan<byte> ClientInfo => "io.modelcontextprotocol/clientInfo"u8;

    public static ReadOnlySpan<byte> ClientCapabilities => "io.modelcontextprotocol/clientCapabilities"u8;

    public static ReadOnlySpan<byte> LogLevel => "io.modelcontextprotocol/logLevel"u8;

    public static ReadOnlySpan<byte> SubscriptionId => "io.modelcontextprotocol/subscriptionId"u8;

    public static ReadOnlySpan<byte> ServerInfo => "io.modelcontextprotocol/serverInfo"u8;

    /// <summary>Whether the value of a key is the revision of a request, or data about its client. In earlier revisions the handshake carries these.</summary>
    public static bool IsOfRequests(string key) => key
        is "io.modelcontextprotocol/protocolVersion"
        or "io.modelcontextprotocol/clientInfo"
        or "io.modelcontextprotocol/clientCapabilities"
        or "io.modelcontextprotocol/logLevel";
}
