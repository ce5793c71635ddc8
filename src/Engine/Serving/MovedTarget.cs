using System.Text;
using McpProxyFast.Outcomes;

namespace McpProxyFast.Serving;

/// <summary>
/// Reads the target's new URL from a redirect that is forwarded to the client. The URL is for a warning that is logged once, so no redirect is read after that.
/// </summary>
internal static class MovedTarget
{
    /// <summary>The maximum length of the URL in characters, and of the <c>Location</c> that is read in bytes.</summary>
    private const int MaxLength = 500;

    /// <summary>Returns the URL that the operator should set as the target.</summary>
    /// <remarks>
    /// The upstream chooses this URL, and the operator may set it and send a credential there. So it is returned only if it has the target's own host
    /// and a scheme that is not less secure. It never has a user or a query.
    /// </remarks>
    /// <param name="target">The present target.</param>
    /// <param name="path">The path that the client asked for; empty if the request's bytes were released.</param>
    /// <param name="location">The value of <c>Location</c>.</param>
    /// <returns>The URL; null if the redirect has none, or one that the operator should not set as the target.</returns>
    public static string? Find(Uri target, ReadOnlySpan<byte> path, ReadOnlySpan<byte> location)
    {
        if (location.IsEmpty || location.Length > MaxLength || !Uri.TryCreate(target, Encoding.UTF8.GetString(location), out Uri? moved))
        {
            return null;
        }

        bool isOwnHost = moved.IdnHost.Equals(target.IdnHost, StringComparison.OrdinalIgnoreCase) && moved.UserInfo.Length == 0;
        bool isAsSecure = moved.Scheme == Uri.UriSchemeHttps || moved.Scheme == target.Scheme;
        bool isOfTarget = path.IsEmpty ? IsSamePath(target, moved) : IsEndpoint(target, path);
        string url = moved.GetLeftPart(UriPartial.Path);
        bool isNews = url != target.GetLeftPart(UriPartial.Path) && url.Length <= MaxLength;
        return isOwnHost && isAsSecure && isOfTarget && isNews ? PlainText.Of(url) : null;
    }

    /// <summary>Whether a client's request for this path is sent to the target's own URL.</summary>
    private static bool IsEndpoint(Uri target, ReadOnlySpan<byte> path) =>
        path is [(byte)'/'] || path.SequenceEqual("/mcp"u8) || path.SequenceEqual("/mcp/"u8) || Encoding.ASCII.GetString(path) == target.AbsolutePath;

    /// <summary>Whether two URLs have the same path, apart from a slash at its end. A target without a path stands for <c>/mcp</c>.</summary>
    private static bool IsSamePath(Uri target, Uri moved)
    {
        string own = target.AbsolutePath.TrimEnd('/');
        return moved.AbsolutePath.TrimEnd('/') == (own.Length == 0 ? "/mcp" : own);
    }
}
