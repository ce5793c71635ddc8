using McpProxyFast.Outcomes;

namespace McpProxyFast.OAuth.Net;

/// <summary>Makes text from a server safe for a log line.</summary>
internal static class Printable
{
    public static string Of(string text) => PlainText.Of(text);

    /// <summary>Returns a URL without its query, which may contain a secret.</summary>
    public static string Url(string url)
    {
        int end = url.AsSpan().IndexOfAny('?', '#');
        return PlainText.Of(end < 0 ? url : url[..end]);
    }
}
