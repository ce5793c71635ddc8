using McpProxyFast.Http1;

namespace McpProxyFast;

/// <summary>Which names an added field can have. The list of refused names is that of <c>thv</c>, and their kin.</summary>
internal static class AddedFieldNames
{
    private const string OfConnection = "belongs to one connection or to the framing of one message, which the proxy sets itself";
    private const string OfClient = "says who the client is; that is told by the forwarded fields";
    private const string OfMessage = "describes one message, so it cannot be the same for all";

    private static readonly (string Reason, string[] Names)[] Refused =
    [
        (OfConnection,
            [
                "Host", "Connection", "Keep-Alive", "TE", "Trailer", "Upgrade", "HTTP2-Settings", "Transfer-Encoding", "Content-Length", "Alt-Svc", "Expect",
                "Max-Forwards", "Proxy", "McpProxyFast-Hop", "DPoP",
            ]),
        (OfClient, ["Forwarded", "X-Real-IP", "X-Client-IP", "True-Client-IP"]),
        (OfMessage, ["Content-Type", "Content-Encoding", "Mcp-Session-Id", "MCP-Protocol-Version", "Mcp-Method", "Mcp-Name", "Last-Event-ID"]),
    ];

    private static readonly (string Reason, string Prefix)[] RefusedFamilies = [(OfConnection, "Proxy-"), (OfClient, "X-Forwarded-")];

    /// <exception cref="ArgumentException">It is not a name, or one that is refused. The message does not repeat it: it may be a value.</exception>
    public static string Checked(string name, string property)
    {
        PolicyValue.Require(
            name.Length <= AddedField.MaxNameLength && Grammar.IsToken(name),
            property,
            $"A field's name is one word of at most {AddedField.MaxNameLength} letters, digits and dashes, such as X-Tenant.");
        string? reason = WhyRefused(name);
        PolicyValue.Require(reason is null, property, $"{name} cannot be added: it {reason}.");
        return name;
    }

    // Some servers take `_` for `-`, so a name in that spelling is the same name.
    private static string? WhyRefused(string name)
    {
        string dashed = name.Replace('_', '-');
        foreach ((string reason, string[] names) in Refused)
        {
            if (names.Contains(dashed, StringComparer.OrdinalIgnoreCase))
            {
                return reason;
            }
        }

        return Array.Find(RefusedFamilies, family => dashed.StartsWith(family.Prefix, StringComparison.OrdinalIgnoreCase)).Reason;
    }
}
