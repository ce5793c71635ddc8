using System.Diagnostics;
using System.Globalization;
using System.Net.Http.Headers;

namespace McpProxyFast.Bridge;

/// <summary>Keeps the cookies that the server has set for one client (RFC 6265). Load balancers use them to send a session always to the same server.</summary>
/// <remarks>
/// They are kept in memory and sent only to the origin that has set them, so <c>Domain</c> and <c>Secure</c> are ignored. <c>Path</c>, <c>Expires</c> and
/// <c>Max-Age</c> are followed. If the proxy is configured to add a <c>Cookie</c> header itself, it sends that header instead of these cookies.
/// </remarks>
/// <param name="target">The URL of the server.</param>
/// <param name="clock">Decides when a cookie has expired.</param>
internal sealed class CookieJar(Uri target, TimeProvider clock)
{
    /// <summary>Guards <see cref="_cookies"/>.</summary>
    private readonly Lock _gate = new();

    /// <summary>The cookies, the oldest first. Bounded by <see cref="BridgeLimits.MaxCookies"/> and <see cref="BridgeLimits.MaxCookieBytes"/>.</summary>
    private readonly List<Cookie> _cookies = [];

    /// <summary>Whether there is any cookie. Most servers set none; then the lock is not needed.</summary>
    private volatile bool _hasSome;

    /// <summary>Adds a <c>Cookie</c> header with the cookies whose path covers the path of the request.</summary>
    public void AddTo(HttpRequestMessage request)
    {
        if (_hasSome && LineFor(PathOf(request)) is { Length: > 0 } line)
        {
            request.Headers.TryAddWithoutValidation("Cookie", line);
        }
    }

    /// <summary>Keeps the cookies that a response sets.</summary>
    public void Note(HttpRequestMessage request, HttpResponseMessage response)
    {
        if (!response.Headers.NonValidated.TryGetValues("Set-Cookie", out HeaderStringValues lines))
        {
            return;
        }

        foreach (string line in lines)
        {
            if (Read(line, PathOf(request)) is { } cookie)
            {
                Keep(cookie);
            }
        }
    }

    /// <summary>Whether a cookie's path covers the path of a request (RFC 6265 §5.1.4).</summary>
    private static bool Covers(string path, string requested) => requested.StartsWith(path, StringComparison.Ordinal)
        && (requested.Length == path.Length || path.EndsWith('/') || requested[path.Length] == '/');

    /// <summary>The path of a cookie without the attribute <c>Path</c>: the request's path up to its last slash (RFC 6265 §5.1.4).</summary>
    private static string FolderOf(string path) => path.LastIndexOf('/') is > 0 and var slash ? path[..slash] : "/";

    private string PathOf(HttpRequestMessage request) =>
        request.RequestUri is { } uri && !uri.Equals(ProxyLink.Target) ? new Uri(ProxyLink.Target, uri).AbsolutePath : target.AbsolutePath;

    private string LineFor(string path)
    {
        lock (_gate)
        {
            RemoveEnded();
            return string.Join("; ", _cookies.Where(cookie => Covers(cookie.Path, path)).Select(cookie => cookie.Pair));
        }
    }

    private void Keep(Cookie cookie)
    {
        lock (_gate)
        {
            int at = _cookies.FindIndex(kept => kept.Name == cookie.Name && kept.Path == cookie.Path);
            if (at >= 0)
            {
                _cookies[at] = cookie;
            }
            else
            {
                _cookies.Add(cookie);
            }

            RemoveEnded(); // a server deletes a cookie by setting it with an expiry time in the past
            while (_cookies.Count > BridgeLimits.MaxCookies || _cookies.Sum(kept => kept.Pair.Length + 2) > BridgeLimits.MaxCookieBytes)
            {
                _cookies.RemoveAt(0);
            }

            _hasSome = _cookies.Count > 0;
        }
    }

    private void RemoveEnded()
    {
        Debug.Assert(_gate.IsHeldByCurrentThread, "The cookies are guarded.");
        DateTimeOffset now = clock.GetUtcNow();
        _cookies.RemoveAll(cookie => cookie.EndsAt <= now);
    }

    /// <summary>Reads a line of <c>Set-Cookie</c> (RFC 6265 §5.2).</summary>
    /// <returns>The cookie; null if it has no name, or has characters that are not printable ASCII and so must not be sent in a header.</returns>
    private Cookie? Read(string line, string requested)
    {
        string[] parts = line.Split(';', StringSplitOptions.TrimEntries);
        int equals = parts[0].IndexOf('=', StringComparison.Ordinal);
        if (equals <= 0 || parts[0].AsSpan().ContainsAnyExceptInRange(' ', '~'))
        {
            return null;
        }

        (string name, string value) = (parts[0][..equals].Trim(), parts[0][(equals + 1)..].Trim());
        string path = FolderOf(requested);
        DateTimeOffset? expires = null, aged = null;
        foreach (string part in parts.Skip(1))
        {
            int at = part.IndexOf('=', StringComparison.Ordinal);
            string said = at < 0 ? "" : part[(at + 1)..].Trim();
            switch ((at < 0 ? part : part[..at]).Trim().ToUpperInvariant())
            {
                case "PATH" when said.StartsWith('/'):
                    path = said;
                    break;
                case "EXPIRES" when DateTimeOffset.TryParse(said, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out DateTimeOffset date):
                    expires = date;
                    break;
                case "MAX-AGE" when long.TryParse(said, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out long seconds):
                    aged = seconds <= 0 ? DateTimeOffset.MinValue : clock.GetUtcNow().AddSeconds(Math.Min(seconds, BridgeLimits.MaxCookieSeconds));
                    break;
                default:
                    break;
            }
        }

        return name.Length == 0 ? null : new Cookie(name, $"{name}={value}", path, aged ?? expires ?? DateTimeOffset.MaxValue);
    }

    /// <summary>A cookie of the server.</summary>
    /// <param name="Name">Its name.</param>
    /// <param name="Pair">The text that is sent: <c>name=value</c>.</param>
    /// <param name="Path">The cookie is sent with requests for this path and the paths below it.</param>
    /// <param name="EndsAt">When the cookie expires.</param>
    private sealed record Cookie(string Name, string Pair, string Path, DateTimeOffset EndsAt);
}
