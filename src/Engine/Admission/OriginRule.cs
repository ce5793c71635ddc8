using System.Net;
using System.Text;

namespace McpProxyFast.Admission;

/// <summary>Says which <c>Origin</c> and <c>Host</c> values may come in: the guard against DNS rebinding.</summary>
/// <remarks>
/// MCP Streamable HTTP, security warning. A value matches as a whole: case does not count. Of an origin the port counts, and no default port is supplied
/// (<c>https://a</c> is not <c>https://a:443</c>); of a host the port counts if the list names one. User information, paths and <c>null</c> match
/// nothing.
/// </remarks>
internal sealed class OriginRule
{
    private const string AnyHost = "*";

    /// <summary>What containers on this machine call it. The name is not in public DNS (<c>.internal</c> is reserved), so no page can take it.</summary>
    private const string DockersName = "host.docker.internal";

    /// <summary>The origins that pass; null if none is checked.</summary>
    private readonly byte[][]? _origins;

    /// <summary>The hosts that pass; null if none is checked.</summary>
    private readonly HostEntry[]? _hosts;

    /// <summary>The listener is of this machine alone: a page of another site has no business with it.</summary>
    private readonly bool _isLoopback;

    /// <summary>A request of HTTP/1.0 without a Host passes.</summary>
    private readonly bool _allowsNoHost;

    /// <param name="listener">Where the proxy listens, with the bound port; null if a host hands over its own connections.</param>
    /// <param name="allowedOrigins">Taken as they are; when empty, a loopback listener derives its own names and any other checks nothing.</param>
    /// <param name="allowedHosts">
    /// One without a port stands for every port, and <c>*</c> allows every host. A loopback listener's own names pass beside them; when empty, any other
    /// listener checks nothing.
    /// </param>
    /// <param name="corsOrigins">Origins that get CORS answers; if origins are checked, they pass as well.</param>
    /// <param name="outside">The listener's names outside this machine: if hosts are checked they pass too, and pages from there if its own do.</param>
    /// <exception cref="ArgumentException">An entry is not an origin, or not a host.</exception>
    public OriginRule(
        IPEndPoint? listener,
        IReadOnlyCollection<string> allowedOrigins,
        IReadOnlyCollection<string> allowedHosts,
        IReadOnlyCollection<string> corsOrigins,
        PublicNames? outside = null)
    {
        _isLoopback = listener is not null && IPAddress.IsLoopback(listener.Address);
        string[] own = _isLoopback ? OwnNames(listener!.Address) : [];
        IEnumerable<string> origins = allowedOrigins.Count > 0
            ? allowedOrigins.Select(origin => WebOrigin.Parse(origin, nameof(allowedOrigins)))
            : own.SelectMany(name => OwnOrigins(name, listener!.Port)).Concat(own.Length > 0 && outside is not null ? [outside.Origin] : []);
        IEnumerable<HostEntry> hosts = own.Length == 0 ? [] : own.Append(DockersName).SelectMany(name => OwnHosts(name, listener!.Port));
        HostEntry[] listed = [.. allowedHosts.Where(host => host != AnyHost).Select(host => HostEntry.Of(WebOrigin.ParseHost(host, nameof(allowedHosts))))];
        HostEntry[] all = [.. hosts, .. listed];

        _origins = Compile(origins, corsOrigins.Select(origin => WebOrigin.Parse(origin, nameof(corsOrigins))));
        _allowsNoHost = allowedHosts.Count == 0;
        _hosts = allowedHosts.Contains(AnyHost) || all.Length == 0 ? null : [.. all, .. (outside?.Hosts ?? []).Select(HostEntry.Of)];
    }

    /// <summary>Whether a request with this one <c>Origin</c> value may pass. A request without the field passes; with two of them it never does.</summary>
    public bool AllowsOrigin(ReadOnlySpan<byte> origin) => _origins is null || Contains(_origins, origin);

    /// <summary>Whether a request without an <c>Origin</c> may pass that has this <c>Sec-Fetch-Site</c> value (Fetch Metadata, W3C).</summary>
    /// <remarks>
    /// An image or a link sends no Origin. The browser then says who made it ask: a page of another site, or, with <c>same-site</c>, of another port. What a
    /// person types is <c>none</c>; what is not a browser does not send the field.
    /// </remarks>
    public bool AllowsSite(ReadOnlySpan<byte> site) =>
        !_isLoopback || !(Ascii.EqualsIgnoreCase(site, "cross-site"u8) || Ascii.EqualsIgnoreCase(site, "same-site"u8));

    /// <summary>Whether a request for this host may pass.</summary>
    /// <param name="host">
    /// Host and port; empty in HTTP/1.0 without the field. Such a request passes if the list is the listener's own names: no page can be made to send it.
    /// </param>
    public bool AllowsHost(ReadOnlySpan<byte> host) => _hosts is null || (host.IsEmpty ? _allowsNoHost : Contains(_hosts, host));

    private static bool Contains(HostEntry[] list, ReadOnlySpan<byte> host)
    {
        foreach (HostEntry entry in list)
        {
            if (entry.Matches(host))
            {
                return true;
            }
        }

        return false;
    }

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

    /// <summary>The three names of the loopback interface, and the bound address if it is a fourth.</summary>
    private static string[] OwnNames(IPAddress bound)
    {
        string address = new IPEndPoint(bound, 0).ToString();
        return [.. new[] { "localhost", "127.0.0.1", "[::1]", address[..address.LastIndexOf(':')] }.Distinct()];
    }

    /// <summary>A page's origin contains its port, unless it is the scheme's default port, which browsers leave out (RFC 6454 §6.2).</summary>
    private static string[] OwnOrigins(string name, int port)
    {
        string[] withPort = [$"http://{name}:{port}", $"https://{name}:{port}"];
        return port is 80 or 443 ? [.. withPort, $"http://{name}", $"https://{name}"] : withPort;
    }

    /// <summary>
    /// Some clients leave the port out though it is not the scheme's own. No page of another site can name one of these hosts: their names lead to this
    /// machine and nowhere else.
    /// </summary>
    private static HostEntry[] OwnHosts(string name, int port) =>
        [new(Encoding.ASCII.GetBytes($"{name}:{port}"), AnyPort: false), new(Encoding.ASCII.GetBytes(name), AnyPort: false)];

    /// <summary>A value of <c>Host</c> that passes.</summary>
    /// <param name="Bytes">Name and port, or the name alone.</param>
    /// <param name="AnyPort">The name with any port passes too.</param>
    private readonly record struct HostEntry(byte[] Bytes, bool AnyPort)
    {
        /// <param name="host">A host as the operator lists it.</param>
        public static HostEntry Of(string host) => new(Encoding.ASCII.GetBytes(host), AnyPort: host.LastIndexOf(':') <= host.LastIndexOf(']'));

        public bool Matches(ReadOnlySpan<byte> host) =>
            host.Length >= Bytes.Length
            && Ascii.EqualsIgnoreCase(host[..Bytes.Length], Bytes)
            && (host.Length == Bytes.Length || (AnyPort && IsPort(host[Bytes.Length..])));

        /// <summary>A colon and one to five digits.</summary>
        private static bool IsPort(ReadOnlySpan<byte> rest) =>
            rest.Length is >= 2 and <= 6 && rest[0] == (byte)':' && !rest[1..].ContainsAnyExceptInRange((byte)'0', (byte)'9');
    }
}
