using System.Net;
using System.Text;

namespace McpProxyFast.Admission;

/// <summary>Says which <c>Origin</c> and <c>Host</c> values may come in: the guard against DNS rebinding.</summary>
/// <remarks>
/// MCP Streamable HTTP, security warning. A value matches as a whole: case does not count, the port does, and no default port is
/// supplied (<c>https://a</c> is not <c>https://a:443</c>). User information, paths and <c>null</c> match nothing.
/// </remarks>
internal sealed class OriginRule
{
    private const string AnyHost = "*";

    private readonly byte[][]? _origins;
    private readonly byte[][]? _hosts;
    private readonly bool _allowsNoHost;

    /// <param name="listener">Where the proxy listens, with the bound port; null where a host hands over its own connections.</param>
    /// <param name="allowedOrigins">Taken as they are; when empty, a loopback listener derives its own names and any other checks nothing.</param>
    /// <param name="allowedHosts">Likewise; an entry <c>*</c> allows every host.</param>
    /// <param name="corsOrigins">Origins that get CORS answers; where origins are checked, they pass as well.</param>
    /// <exception cref="ArgumentException">An entry is not an origin, or not a host.</exception>
    public OriginRule(
        IPEndPoint? listener,
        IReadOnlyCollection<string> allowedOrigins,
        IReadOnlyCollection<string> allowedHosts,
        IReadOnlyCollection<string> corsOrigins)
    {
        string[] own = listener is not null && IPAddress.IsLoopback(listener.Address) ? OwnNames(listener) : [];
        IEnumerable<string> origins = allowedOrigins.Count > 0
            ? allowedOrigins.Select(origin => WebOrigin.Parse(origin, nameof(allowedOrigins)))
            : own.Select(name => $"http://{name}").Concat(own.Select(name => $"https://{name}"));
        IEnumerable<string> hosts = allowedHosts.Count > 0
            ? allowedHosts.Where(host => host != AnyHost).Select(host => WebOrigin.ParseHost(host, nameof(allowedHosts)))
            : own;

        _origins = Compile(origins, corsOrigins.Select(origin => WebOrigin.Parse(origin, nameof(corsOrigins))));
        _allowsNoHost = allowedHosts.Count == 0;
        _hosts = allowedHosts.Contains(AnyHost) ? null : Compile(hosts, []);
    }

    /// <summary>False where no origin can be refused: a public listener without a list, which deserves a warning.</summary>
    public bool ChecksOrigin => _origins is not null;

    /// <summary>False where every host is allowed.</summary>
    public bool ChecksHost => _hosts is not null;

    /// <summary>Whether a request with this one <c>Origin</c> value may pass. A request without the field passes; with two of them it never does.</summary>
    public bool AllowsOrigin(ReadOnlySpan<byte> origin) => _origins is null || Contains(_origins, origin);

    /// <summary>Whether a request for this host may pass.</summary>
    /// <param name="host">
    /// Host and port; empty in HTTP/1.0 without the field. Such a request passes where the list is the listener's own names: no page can be made to send it.
    /// </param>
    public bool AllowsHost(ReadOnlySpan<byte> host) => _hosts is null || (host.IsEmpty ? _allowsNoHost : Contains(_hosts, host));

    private static bool Contains(byte[][] list, ReadOnlySpan<byte> value)
    {
        foreach (byte[] entry in list)
        {
            if (Ascii.EqualsIgnoreCase(entry, value))
            {
                return true;
            }
        }

        return false;
    }

    private static byte[][]? Compile(IEnumerable<string> entries, IEnumerable<string> extra)
    {
        byte[][] list = [.. entries.Select(Encoding.ASCII.GetBytes)];
        return list.Length == 0 ? null : [.. list, .. extra.Select(Encoding.ASCII.GetBytes)];
    }

    /// <summary>The three names of the loopback interface, and the bound address where it is a fourth.</summary>
    private static string[] OwnNames(IPEndPoint listener)
    {
        string[] withPort = [.. new[] { $"localhost:{listener.Port}", $"127.0.0.1:{listener.Port}", $"[::1]:{listener.Port}", listener.ToString() }.Distinct()];

        // Clients leave the port out where it is the scheme's own (RFC 9110 §4.2.3).
        return listener.Port is 80 or 443 ? [.. withPort, .. withPort.Select(name => name[..name.LastIndexOf(':')])] : withPort;
    }
}
