using System.Net;
using McpProxyFast.Admission;

namespace McpProxyFast.Serving;

/// <summary>Makes the entrances of one proxy. Those of a host's calls are kept, a few of them, since most calls of a host say the same.</summary>
internal sealed class Entrances
{
    /// <summary>A host has few listeners; with more of them than this, entrances are made anew now and then.</summary>
    private const int Kept = 8;

    private readonly McpProxyOptions _options;

    /// <summary>The entrances made last, in no order. A slot is replaced as a whole.</summary>
    private readonly CallEntrance?[] _kept = new CallEntrance?[Kept];

    /// <summary>Which slot is replaced next, modulo their number.</summary>
    private uint _next;

    /// <exception cref="ArgumentException">An entry of the options' lists is not an origin, or not a host.</exception>
    public Entrances(McpProxyOptions options)
    {
        _options = options;
        // Made for its errors: they come at start, not at the first call.
        _ = new OriginRule(options.Listen, options.AllowedOrigins, options.AllowedHosts, options.CorsOrigins);
    }

    /// <summary>The entrance of the proxy's own listener.</summary>
    /// <param name="bound">Where it listens, with the bound port.</param>
    public Entrance OfListener(IPEndPoint bound) =>
        new(new OriginRule(bound, _options.AllowedOrigins, _options.AllowedHosts, _options.CorsOrigins), IsTls: false);

    /// <summary>The entrance of the proxy's own listener, which clients outside reach by another address.</summary>
    /// <param name="bound">Where it listens, with the bound port.</param>
    /// <param name="address">Where clients find it; http or https.</param>
    /// <param name="otherHosts">Further hosts that they may ask for.</param>
    /// <exception cref="ArgumentException">A further host is none.</exception>
    public Entrance OfListener(IPEndPoint bound, Uri address, IReadOnlyList<string> otherHosts)
    {
        PublicNames outside = PublicNames.Of(address, otherHosts);
        var rule = new OriginRule(bound, _options.AllowedOrigins, _options.AllowedHosts, _options.CorsOrigins, outside);
        string resource = address.AbsolutePath == "/" ? address.GetLeftPart(UriPartial.Authority) : address.GetLeftPart(UriPartial.Path);
        return new Entrance(rule, IsTls: address.Scheme == Uri.UriSchemeHttps, resource);
    }

    /// <summary>Where a connection comes in that a host hands over.</summary>
    /// <exception cref="ArgumentException">An entry of a list is not an origin, or not a host.</exception>
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

    /// <summary>An IPv4 address in IPv6 clothes, as dual-mode sockets give it, is the IPv4 address.</summary>
    private static IPEndPoint? Plain(EndPoint? local) => local is IPEndPoint { Address.IsIPv4MappedToIPv6: true } mapped
        ? new IPEndPoint(mapped.Address.MapToIPv4(), mapped.Port)
        : local as IPEndPoint;

    /// <summary>What a call said, and the entrance made of it.</summary>
    private sealed class CallEntrance(ClientConnectionInfo info, Entrance entrance)
    {
        private readonly EndPoint? _local = info.Local;
        private readonly IReadOnlyList<string>? _hosts = info.AllowedHosts;
        private readonly IReadOnlyList<string>? _origins = info.AllowedOrigins;

        public Doorway Doorway { get; } = new(entrance);

        /// <summary>
        /// Lists are told apart by reference: they must not change, and a host that makes them anew for each call only has its entrance made anew.
        /// </summary>
        public bool Fits(ClientConnectionInfo other) =>
            entrance.IsTls == other.IsTls
            && ReferenceEquals(_hosts, other.AllowedHosts)
            && ReferenceEquals(_origins, other.AllowedOrigins)
            && Equals(_local, other.Local);
    }
}
