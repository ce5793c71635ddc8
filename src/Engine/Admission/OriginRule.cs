using System.Net;
using System.Text;

namespace McpProxyFast.Admission;

/// <summary>Decides which <c>Origin</c> and <c>Host</c> values are allowed. This is the protection against DNS rebinding.</summary>
/// <remarks>
/// The source is the security warning of MCP Streamable HTTP. A value must be equal to an entry, apart from case. An origin must have the same port as the
/// entry, and no default port is assumed (<c>https://a</c> is not <c>https://a:443</c>). A host must have the same port if the entry has one. A value with user
/// information or a path, and the origin <c>null</c>, are equal to no entry.
/// </remarks>
internal sealed class OriginRule
{
    private const string AnyHost = "*";

    /// <summary>
    /// The host name with which Docker containers reach the machine on which they run. It is not in public DNS (<c>.internal</c> is reserved), so no web page
    /// can have this host.
    /// </summary>
    private const string DockersName = "host.docker.internal";

    /// <summary>The origins that are allowed; null if every origin is allowed. Never changes.</summary>
    private readonly byte[][]? _origins;

    /// <summary>The hosts that are allowed; null if every host is allowed. Never changes.</summary>
    private readonly HostEntry[]? _hosts;

    /// <summary>Whether the listener is bound to a loopback address. Then web pages of other sites may not use it. Never changes.</summary>
    private readonly bool _isLoopback;

    /// <summary>Whether an HTTP/1.0 request without <c>Host</c> is allowed. Never changes.</summary>
    private readonly bool _allowsNoHost;

    /// <param name="listener">
    /// The address on which connections are accepted, with the bound port; null if a host program passes a connection without an IP address.
    /// </param>
    /// <param name="allowedOrigins">
    /// The allowed origins. If the list is empty, a loopback listener allows the origins of its own names, and any other listener allows every origin.
    /// </param>
    /// <param name="allowedHosts">
    /// The allowed hosts. An entry without a port is allowed with every port, and <c>*</c> allows every host. A loopback listener always allows its own names
    /// too. If the list is empty, any other listener allows every host.
    /// </param>
    /// <param name="corsOrigins">The origins that get CORS fields. They are always allowed.</param>
    /// <param name="outside">
    /// The listener's public names, which are allowed as hosts too; null if it has none. If the listener allows the origins of its own names, it also allows
    /// the public origin.
    /// </param>
    /// <exception cref="ArgumentException">An entry of a list is not an origin or not a host.</exception>
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

    /// <summary>
    /// Whether a request with this <c>Origin</c> is allowed. The caller of this method allows a request without the field, and refuses a request with two of
    /// them.
    /// </summary>
    public bool AllowsOrigin(ReadOnlySpan<byte> origin) => _origins is null || Contains(_origins, origin);

    /// <summary>Whether a request without <c>Origin</c> but with this <c>Sec-Fetch-Site</c> value is allowed (Fetch Metadata, W3C).</summary>
    /// <remarks>
    /// A browser sends no <c>Origin</c> for an image or a link. Then <c>Sec-Fetch-Site</c> says which page has caused the request: a page of another site
    /// (<c>cross-site</c>), or of another origin on the same site, such as another port (<c>same-site</c>). <c>none</c> means that the user has typed the
    /// address. Programs other than browsers usually do not send the field.
    /// </remarks>
    public bool AllowsSite(ReadOnlySpan<byte> site) =>
        !_isLoopback || !(Ascii.EqualsIgnoreCase(site, "cross-site"u8) || Ascii.EqualsIgnoreCase(site, "same-site"u8));

    /// <summary>Whether a request for this host is allowed.</summary>
    /// <param name="host">
    /// Host and port; empty for an HTTP/1.0 request without <c>Host</c>. Such a request is allowed if the operator has listed no hosts: it does not come from a
    /// web page, since browsers always send <c>Host</c>.
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

    /// <summary>Returns the listener's own names: the three names of the loopback interface, and the bound address if it is not one of them.</summary>
    private static string[] OwnNames(IPAddress bound)
    {
        string address = new IPEndPoint(bound, 0).ToString();
        return [.. new[] { "localhost", "127.0.0.1", "[::1]", address[..address.LastIndexOf(':')] }.Distinct()];
    }

    /// <summary>
    /// Returns the origins that a page at one of the listener's names has. For the ports 80 and 443 there are also origins without the port, since browsers
    /// leave out the scheme's default port (RFC 6454 §6.2).
    /// </summary>
    private static string[] OwnOrigins(string name, int port)
    {
        string[] withPort = [$"http://{name}:{port}", $"https://{name}:{port}"];
        return port is 80 or 443 ? [.. withPort, $"http://{name}", $"https://{name}"] : withPort;
    }

    /// <summary>
    /// Returns one of the listener's names as a host, with and without the port, since some clients leave out any port. This is safe: the names always mean
    /// this machine, so no page of another site can have such a host.
    /// </summary>
    private static HostEntry[] OwnHosts(string name, int port) =>
        [new(Encoding.ASCII.GetBytes($"{name}:{port}"), AnyPort: false), new(Encoding.ASCII.GetBytes(name), AnyPort: false)];

    /// <summary>A value of <c>Host</c> that is allowed.</summary>
    /// <param name="Bytes">The name with a port, or the name alone.</param>
    /// <param name="AnyPort">Whether the name is allowed with any port.</param>
    private readonly record struct HostEntry(byte[] Bytes, bool AnyPort)
    {
        /// <param name="host">A host, as the operator has listed it.</param>
        public static HostEntry Of(string host) => new(Encoding.ASCII.GetBytes(host), AnyPort: host.LastIndexOf(':') <= host.LastIndexOf(']'));

        public bool Matches(ReadOnlySpan<byte> host) =>
            host.Length >= Bytes.Length
            && Ascii.EqualsIgnoreCase(host[..Bytes.Length], Bytes)
            && (host.Length == Bytes.Length || (AnyPort && IsPort(host[Bytes.Length..])));

        /// <summary>Whether the part of a value after the name is a colon and one to five digits.</summary>
        private static bool IsPort(ReadOnlySpan<byte> rest) =>
            rest.Length is >= 2 and <= 6 && rest[0] == (byte)':' && !rest[1..].ContainsAnyExceptInRange((byte)'0', (byte)'9');
    }
}
