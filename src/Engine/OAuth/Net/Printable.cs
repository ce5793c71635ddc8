using McpProxyFast.Outcomes;

namespace McpProxyFast.OAuth.Net;

/// <summary>Makes a server's words fit for a log line.</summary>
internal static class Printable
{
    public static string Of(string text) => PlainText.Of(text);

    /// <summary>A URL without its query, in which some servers and operators have a secret.</summary>
    public static string Url(string url)
    {
        int end = url.AsSpan().IndexOfAny('?', '#');
        return PlainText.Of(end < 0 ? url : url[..end]);
    }
}
