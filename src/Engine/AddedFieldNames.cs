using McpProxyFast.Http1;

namespace McpProxyFast;

/// <summary>Checks the names of added fields. The refused names are those that ToolHive's <c>thv proxy</c> refuses, and similar ones.</summary>
internal static class AddedFieldNames
{
    private const string OfConnection = "belongs to one connection or one message, so the proxy sets it itself";
    private const string OfClient = "says who the client is, which the proxy itself tells the target in the X-Forwarded fields";
    private const string OfMessage = "describes one message, so it cannot have the same value in all requests";

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

    /// <exception cref="ArgumentException">
    /// The text is not a field name, or the name is refused. In the first case the message does not repeat the text, since it may be a secret value that was
    /// given in place of the name.
    /// </exception>
    public static string Checked(string name, string property)
    {
        PolicyValue.Require(
            name.Length <= AddedField.MaxNameLength && Grammar.IsToken(name),
            property,
            $"A field's name must be one word of at most {AddedField.MaxNameLength} letters, digits and dashes, such as X-Tenant.");
        string? reason = WhyRefused(name);
        PolicyValue.Require(reason is null, property, $"{name} cannot be added: it {reason}.");
        return name;
    }

    // Some servers treat `_` in a name like `-`, so a name with `_` is refused if the same name with `-` is.
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
