namespace McpProxyFast;

/// <summary>Compares the names of issuers: ordinally, but that a name without a path may end in a slash or not.</summary>
/// <remarks>Both spellings are one URL (RFC 3986 §6.2.3), and large providers use one in their documents and the other in their manuals.</remarks>
internal static class IssuerName
{
    public static bool Same(string? one, string? other) =>
        one == other || (one is not null && other is not null && (IsWithSlash(one, other) || IsWithSlash(other, one)));

    /// <summary>The longer is the shorter with a slash, and the shorter ends with its authority.</summary>
    private static bool IsWithSlash(string longer, string shorter)
    {
        int authority = shorter.IndexOf("://", StringComparison.Ordinal) + 3;
        return longer.Length == shorter.Length + 1
            && longer.EndsWith('/')
            && longer.StartsWith(shorter, StringComparison.Ordinal)
            && authority > 3
            && authority < shorter.Length
            && shorter.AsSpan(authority).IndexOfAny('/', '?', '#') < 0;
    }
}
