using System.Buffers;

namespace McpProxyFast.Admission;

/// <summary>Reads the origins and hosts that an operator lists. An entry that no client could ever send is an error when the proxy is created.</summary>
internal static class WebOrigin
{
    private static readonly SearchValues<char> NeverInAuthority = SearchValues.Create("/\\?#@,* \t");

    /// <summary>Returns an origin in lower case, as browsers write it (RFC 6454 §6.2). A default port is not removed.</summary>
    /// <exception cref="ArgumentException"><paramref name="origin"/> is not <c>scheme://host[:port]</c>.</exception>
    public static string Parse(string origin, string listName)
    {
        int authorityStart = origin.IndexOf("://", StringComparison.Ordinal) + 3;
        if (authorityStart > 3
            && Uri.TryCreate(origin, UriKind.Absolute, out Uri? uri)
            && uri.Scheme.Length == authorityStart - 3
            && IsHost(origin[authorityStart..]))
        {
            return origin.ToLowerInvariant();
        }

        throw new ArgumentException($"'{origin}' is not an origin: it must be written scheme://host or scheme://host:port, without a path.", listName);
    }

    /// <summary>Returns the <c>Host</c> value as clients write it: <c>host[:port]</c> (RFC 9110 §7.2).</summary>
    /// <exception cref="ArgumentException"><paramref name="host"/> is not <c>host[:port]</c>.</exception>
    public static string ParseHost(string host, string listName) =>
        IsHost(host) ? host.ToLowerInvariant() : throw new ArgumentException($"'{host}' is not a host: it must be written name or name:port.", listName);

    private static bool IsHost(string authority) =>
        authority.Length > 0
        && authority.All(char.IsAscii)
        && !authority.AsSpan().ContainsAny(NeverInAuthority)
        && !authority.EndsWith(':')
        && Uri.TryCreate($"http://{authority}/", UriKind.Absolute, out _);
}
