namespace McpProxyFast;

/// <summary>Which fields of a request an operator may have set by the proxy.</summary>
internal static class FieldNameRule
{
    /// <summary>Longest name, as <c>thv</c> has it.</summary>
    private const int MaxLength = 256;

    /// <summary>Fields of one hop, of framing, of who asked and whom, and those in which MCP and its transport speak.</summary>
    private static readonly string[] Taken =
    [
        "host", "connection", "keep-alive", "te", "trailer", "upgrade", "http2-settings", "transfer-encoding", "content-length", "content-type",
        "content-encoding", "expect", "max-forwards", "alt-svc", "forwarded", "x-real-ip", "x-client-ip", "true-client-ip", "origin", "dpop", "proxy",
        "mcpproxyfast-hop", "mcp-session-id", "mcp-protocol-version",
    ];

    private static readonly string[] TakenPrefixes = ["proxy-", "x-forwarded-", "access-control-", "sec-"];

    /// <summary>Whether it is a field name (RFC 9110 §5.1) that nothing else of a request depends on.</summary>
    public static bool MayBeSet(string name)
    {
        // Some servers take one for the other.
        string plain = name.Replace('_', '-');
        return name.Length is > 0 and <= MaxLength
            && name.All(IsTokenCharacter)
            && !Taken.Contains(plain, StringComparer.OrdinalIgnoreCase)
            && !Array.Exists(TakenPrefixes, prefix => plain.StartsWith(prefix, StringComparison.OrdinalIgnoreCase));
    }

    // tchar, RFC 9110 §5.6.2
    private static bool IsTokenCharacter(char character) =>
        char.IsAsciiLetterOrDigit(character) || "!#$%&'*+-.^_`|~".Contains(character, StringComparison.Ordinal);
}
