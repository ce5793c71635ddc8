using System.Text;

namespace McpProxyFast.Fuzz.Oracles;

/// <summary>Says by names alone which fields of a head go on: the rules of RFC 9110 §7.6.1 once more, sharing nothing with the engine.</summary>
internal static class ForwardingRule
{
    private static readonly string[] NeverForwarded =
    [
        "connection", "keep-alive", "te", "trailer", "upgrade", "http2-settings", "transfer-encoding", "content-length", "alt-svc", "proxy",
    ];

    private static readonly string[] ActedOn =
    [
        .. NeverForwarded, "host", "expect", "max-forwards", "authorization", "origin", "forwarded", "location", "www-authenticate", "dpop", "dpop-nonce",
        "content-type", "content-encoding", "x-real-ip", "x-client-ip", "true-client-ip", "mcpproxyfast-hop",
    ];

    private static readonly string[] ActedOnPrefixes = ["proxy-", "x-forwarded-", "access-control-"];

    /// <summary>The lines that are kept, in order.</summary>
    public static List<(string Name, string Value)> Kept(IReadOnlyList<(string Name, string Value)> lines, params string[] alsoDropped)
    {
        HashSet<string> named = [.. lines.Where(line => Is(line.Name, "connection")).SelectMany(line => line.Value.Split(',')).Select(option => option.Trim(' ', '\t').ToLowerInvariant())];
        return [.. lines.Where(line => IsKept(line.Name.ToLowerInvariant(), named, alsoDropped))];
    }

    /// <summary>The field lines of a head that a parser has accepted: split at CRLF and at the first colon, trimmed of blanks.</summary>
    public static List<(string Name, string Value)> Lines(ReadOnlySpan<byte> head)
    {
        string[] lines = Encoding.Latin1.GetString(head).Split("\r\n");
        return [.. lines.Skip(1).TakeWhile(line => line.Length > 0).Select(SplitLine)];
    }

    private static (string Name, string Value) SplitLine(string line)
    {
        int colon = line.IndexOf(':', StringComparison.Ordinal);
        return (line[..colon], line[(colon + 1)..].Trim(' ', '\t'));
    }

    private static bool IsKept(string name, HashSet<string> named, string[] alsoDropped) =>
        !NeverForwarded.Contains(name)
        && !StartsWith(name, "proxy-")
        && !IsLookalike(name)
        && !alsoDropped.Any(dropped => dropped.EndsWith('-') ? StartsWith(name, dropped) : name == dropped)
        && !named.Contains(name);

    /// <summary>A name that is one the proxy acts on but for <c>_</c> in place of <c>-</c>.</summary>
    private static bool IsLookalike(string name)
    {
        string dashed = name.Replace('_', '-');
        bool isActedOn = ActedOn.Contains(dashed)
            || ActedOnPrefixes.Any(prefix => StartsWith(dashed, prefix));
        return dashed != name && isActedOn && !ActedOnPrefixes.Any(prefix => StartsWith(name, prefix));
    }

    private static bool StartsWith(string name, string prefix) => name.StartsWith(prefix, StringComparison.Ordinal) && name.Length > prefix.Length;

    private static bool Is(string name, string lower) => name.Equals(lower, StringComparison.OrdinalIgnoreCase);
}
