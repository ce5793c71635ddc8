namespace McpProxyFast;

/// <summary>Compares the names of issuers character by character, with one exception: <c>https://host</c> and <c>https://host/</c> are equal.</summary>
/// <remarks>These two spellings are the same URL (RFC 3986 §6.2.3). Large providers use one of them in their metadata and the other in their manuals.</remarks>
internal static class IssuerName
{
    public static bool Same(string? one, string? other) =>
        one == other || (one is not null && other is not null && (IsWithSlash(one, other) || IsWithSlash(other, one)));

    /// <summary>Whether the longer name is the shorter one plus a slash, and the shorter one has no path.</summary>
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
