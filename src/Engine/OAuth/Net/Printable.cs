namespace McpProxyFast.OAuth.Net;

/// <summary>Makes a server's words fit for a log line: one line, bounded.</summary>
internal static class Printable
{
    private const int MaxLength = 500;

    public static string Of(string text) =>
        new([.. text.Take(MaxLength).Select(character => char.IsControl(character) ? ' ' : character)]);
}
