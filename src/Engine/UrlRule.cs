namespace McpProxyFast;

/// <summary>Decides which URLs are secure enough for credentials.</summary>
internal static class UrlRule
{
    /// <summary>Whether a URL is https, or http on loopback, and has neither a fragment nor user information (MCP, authorization security).</summary>
    public static bool IsSecure(Uri? url) =>
        url is { IsAbsoluteUri: true, Fragment.Length: 0, UserInfo.Length: 0 }
        && (url.Scheme == Uri.UriSchemeHttps || (url.Scheme == Uri.UriSchemeHttp && url.IsLoopback));

    /// <summary>Reads an absolute URL.</summary>
    /// <returns>The URL; null if the text is not an absolute URL. A path such as <c>/a</c> gives null, although .NET on Unix reads it as a file URL.</returns>
    public static Uri? Parse(string? text) => text is not ['/', ..] && Uri.TryCreate(text, UriKind.Absolute, out Uri? url) ? url : null;
}
