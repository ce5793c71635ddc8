using System.Net;
using McpProxyFast.Admission;

namespace McpProxyFast.Serving;

/// <summary>
/// Creates the connection settings (<see cref="Entrance"/>) of one proxy. The settings for a host program's calls are cached, because most of its calls have
/// the same settings.
/// </summary>
internal sealed class Entrances
{
    /// <summary>How many settings are cached. A host program has few listeners; if it has more than this, some settings are created again.</summary>
    private const int Kept = 8;

    private readonly McpProxyOptions _options;

    /// <summary>The settings that were created last for calls of the host program, in no order. Null in a slot that is not used yet.</summary>
    private readonly CallEntrance?[] _kept = new CallEntrance?[Kept];

    /// <summary>The slot to replace next, modulo the number of slots.</summary>
    private uint _next;

    /// <exception cref="ArgumentException">An entry in the options' lists is not an origin or not a host.</exception>
    public Entrances(McpProxyOptions options)
    {
        _options = options;
        // Created only to check the options now: otherwise a wrong entry would be noticed at the first call.
        _ = new OriginRule(options.Listen, options.AllowedOrigins, options.AllowedHosts, options.CorsOrigins);
    }

    /// <summary>The settings for the proxy's own listener.</summary>
    /// <param name="bound">The address it listens on, with the bound port.</param>
    public Entrance OfListener(IPEndPoint bound) =>
        new(new OriginRule(bound, _options.AllowedOrigins, _options.AllowedHosts, _options.CorsOrigins), IsTls: false);

    /// <summary>The settings for the proxy's own listener when clients reach it by a public address.</summary>
    /// <param name="bound">The address it listens on, with the bound port.</param>
    /// <param name="address">The public address; http or https.</param>
    /// <param name="otherHosts">More <c>Host</c> values that clients may send.</param>
    /// <exception cref="ArgumentException">One of the other hosts is not a host.</exception>
    public Entrance OfListener(IPEndPoint bound, Uri address, IReadOnlyList<string> otherHosts)
    {
        PublicNames outside = PublicNames.Of(address, otherHosts);
        var rule = new OriginRule(bound, _options.AllowedOrigins, _options.AllowedHosts, _options.CorsOrigins, outside);
        string resource = address.AbsolutePath == "/" ? address.GetLeftPart(UriPartial.Authority) : address.GetLeftPart(UriPartial.Path);
        return new Entrance(rule, IsTls: address.Scheme == Uri.UriSchemeHttps, resource);
    }

    /// <summary>Returns the holder of the settings for a connection that a host program hands over.</summary>
    /// <exception cref="ArgumentException">An entry in a list is not an origin or not a host.</exception>
    public Doorway OfCall(ClientConnectionInfo info)
    {
        foreach (ref CallEntrance? slot in _kept.AsSpan())
        {
            if (Volatile.Read(ref slot) is { } kept && kept.Fits(info))
            {
                return kept.Doorway;
            }
        }

        var rule = new OriginRule(Plain(info.Local), info.AllowedOrigins ?? _options.AllowedOrigins, info.AllowedHosts ?? _options.AllowedHosts,
            _options.CorsOrigins);
        var made = new CallEntrance(info, new Entrance(rule, info.IsTls));
        Volatile.Write(ref _kept[Interlocked.Increment(ref _next) % Kept], made);
        return made.Doorway;
    }

    /// <summary>Turns an IPv4-mapped IPv6 address, which dual-mode sockets report, into the IPv4 address.</summary>
    private static IPEndPoint? Plain(EndPoint? local) => local is IPEndPoint { Address.IsIPv4MappedToIPv6: true } mapped
        ? new IPEndPoint(mapped.Address.MapToIPv4(), mapped.Port)
        : local as IPEndPoint;

    /// <summary>What a host program has passed in a call, and the settings created from that.</summary>
    private sealed class CallEntrance(ClientConnectionInfo info, Entrance entrance)
    {
        private readonly EndPoint? _local = info.Local;
        private readonly IReadOnlyList<string>? _hosts = info.AllowedHosts;
        private readonly IReadOnlyList<string>? _origins = info.AllowedOrigins;

        public Doorway Doorway { get; } = new(entrance);

        /// <summary>
        /// Whether another call has the same settings. Lists are compared by reference, so the host program must not change them. If it passes new lists in
        /// each call, the settings are created again for each call.
        /// </summary>
        public bool Fits(ClientConnectionInfo other) =>
            entrance.IsTls == other.IsTls
            && ReferenceEquals(_hosts, other.AllowedHosts)
            && ReferenceEquals(_origins, other.AllowedOrigins)
            && Equals(_local, other.Local);
    }
}
