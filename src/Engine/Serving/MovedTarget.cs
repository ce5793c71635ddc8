using System.Text;
using McpProxyFast.Outcomes;

namespace McpProxyFast.Serving;

/// <summary>Reads from a redirect that goes on to the client where the target has moved. For a person, so it is asked until that has been said once.</summary>
internal static class MovedTarget
{
    /// <summary>Longest URL that is named, in characters, and longest Location that is read, in bytes.</summary>
    private const int MaxLength = 500;

    /// <summary>The URL that is to be set as the target.</summary>
    /// <remarks>
    /// The upstream's word is advice for the operator, who hands over a credential there. So it names the target's own host alone, never a less secure
    /// scheme, and neither a user nor a query.
    /// </remarks>
    /// <param name="target">The target as it is set.</param>
    /// <param name="path">The path that the client asked for; empty if it is not known any more.</param>
    /// <param name="location">Where the redirect leads.</param>
    /// <returns>Null if the redirect does not say, or leads where no target should be set.</returns>
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

    /// <summary>Whether a request for this path goes to the target itself.</summary>
    private static bool IsEndpoint(Uri target, ReadOnlySpan<byte> path) =>
        path is [(byte)'/'] || path.SequenceEqual("/mcp"u8) || path.SequenceEqual("/mcp/"u8) || Encoding.ASCII.GetString(path) == target.AbsolutePath;

    /// <summary>Whether two URLs have the same path but for a slash at its end. A target without a path stands for <c>/mcp</c>.</summary>
    private static bool IsSamePath(Uri target, Uri moved)
    {
        string own = target.AbsolutePath.TrimEnd('/');
        return moved.AbsolutePath.TrimEnd('/') == (own.Length == 0 ? "/mcp" : own);
    }
}
