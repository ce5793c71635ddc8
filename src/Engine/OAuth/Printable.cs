using McpProxyFast.Outcomes;

namespace McpProxyFast.OAuth;

/// <summary>Makes a server's words fit for a log line.</summary>
internal static class Printable
{
    public static string Of(string text) => PlainText.Of(text);
}
