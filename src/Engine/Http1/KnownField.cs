using System.Text;

namespace McpProxyFast.Http1;

/// <summary>The field names that the proxy treats specially. A field with any other name is <see cref="None"/> and passes unchanged.</summary>
internal enum KnownField : byte
{
    None,
    Host,
    ContentLength,
    TransferEncoding,
    Connection,
    KeepAlive,
    ProxyConnection,
    ProxyOther,
    Te,
    Trailer,
    Upgrade,
    Http2Settings,
    AltSvc,
    Expect,
    MaxForwards,
    Authorization,
    Origin,

    /// <summary>
    /// <c>Sec-Fetch-Site</c>: in it a browser says how the site of the page that makes the request is related to the target's site. Scripts cannot change it.
    /// </summary>
    SecFetchSite,
    Forwarded,
    XForwardedFor,
    XForwardedHost,
    XForwardedProto,
    XForwardedOther,

    /// <summary>A name other than <c>X-Forwarded-For</c> from which servers take the client's address, such as <c>X-Real-IP</c>.</summary>
    ClientAddress,

    /// <summary><c>Proxy</c>: not a field of HTTP. CGI servers turn it into the variable <c>HTTP_PROXY</c>, which client libraries obey.</summary>
    ProxyVariable,

    /// <summary>
    /// <c>McpProxyFast-Hop</c>: each McpProxyFast proxy adds its mark to a request in this field, and so recognises a request that comes back to it.
    /// </summary>
    ProxyHop,
    ContentType,
    ContentEncoding,
    Location,
    WwwAuthenticate,
    DPoP,
    DPoPNonce,
    AccessControlRequestMethod,
    AccessControlRequestHeaders,
    AccessControl,

    /// <summary>One of the names above, written with <c>_</c> instead of <c>-</c>. Some servers treat both as the same name.</summary>
    Lookalike,
}

/// <summary>Recognises field names; case does not matter (RFC 9110 §5.1).</summary>
internal static class KnownFields
{
    private const int LongestName = 32;

    public static KnownField Identify(ReadOnlySpan<byte> name)
    {
        KnownField known = Match(name);
        return known is KnownField.None && name.Contains((byte)'_') ? IdentifyLookalike(name) : known;
    }

    private static KnownField Match(ReadOnlySpan<byte> name) => name.Length switch
    {
        2 => Is(name, "te"u8) ? KnownField.Te : KnownField.None,
        4 => Is(name, "host"u8) ? KnownField.Host : Is(name, "dpop"u8) ? KnownField.DPoP : KnownField.None,
        5 => Is(name, "proxy"u8) ? KnownField.ProxyVariable : KnownField.None,
        6 => Is(name, "origin"u8) ? KnownField.Origin : Is(name, "expect"u8) ? KnownField.Expect : KnownField.None,
        7 => Is(name, "upgrade"u8) ? KnownField.Upgrade
            : Is(name, "trailer"u8) ? KnownField.Trailer
            : Is(name, "alt-svc"u8) ? KnownField.AltSvc
            : MatchPrefix(name),
        8 => Is(name, "location"u8) ? KnownField.Location : MatchPrefix(name),
        9 => Is(name, "forwarded"u8) ? KnownField.Forwarded : Is(name, "x-real-ip"u8) ? KnownField.ClientAddress : MatchPrefix(name),
        10 => Is(name, "connection"u8) ? KnownField.Connection
            : Is(name, "keep-alive"u8) ? KnownField.KeepAlive
            : Is(name, "dpop-nonce"u8) ? KnownField.DPoPNonce
            : MatchPrefix(name),
        11 => Is(name, "x-client-ip"u8) ? KnownField.ClientAddress : MatchPrefix(name),
        12 => Is(name, "content-type"u8) ? KnownField.ContentType
            : Is(name, "max-forwards"u8) ? KnownField.MaxForwards
            : MatchPrefix(name),
        13 => Is(name, "authorization"u8) ? KnownField.Authorization : MatchPrefix(name),
        14 => Is(name, "content-length"u8) ? KnownField.ContentLength
            : Is(name, "http2-settings"u8) ? KnownField.Http2Settings
            : Is(name, "true-client-ip"u8) ? KnownField.ClientAddress
            : Is(name, "sec-fetch-site"u8) ? KnownField.SecFetchSite
            : MatchPrefix(name),
        15 => Is(name, "x-forwarded-for"u8) ? KnownField.XForwardedFor : MatchPrefix(name),
        16 => Is(name, "www-authenticate"u8) ? KnownField.WwwAuthenticate
            : Is(name, "x-forwarded-host"u8) ? KnownField.XForwardedHost
            : Is(name, "proxy-connection"u8) ? KnownField.ProxyConnection
            : Is(name, "content-encoding"u8) ? KnownField.ContentEncoding
            : Is(name, "mcpproxyfast-hop"u8) ? KnownField.ProxyHop
            : MatchPrefix(name),
        17 => Is(name, "transfer-encoding"u8) ? KnownField.TransferEncoding
            : Is(name, "x-forwarded-proto"u8) ? KnownField.XForwardedProto
            : MatchPrefix(name),
        29 => Is(name, "access-control-request-method"u8) ? KnownField.AccessControlRequestMethod : MatchPrefix(name),
        30 => Is(name, "access-control-request-headers"u8) ? KnownField.AccessControlRequestHeaders : MatchPrefix(name),
        _ => MatchPrefix(name),
    };

    private static KnownField MatchPrefix(ReadOnlySpan<byte> name) =>
        StartsWith(name, "proxy-"u8) ? KnownField.ProxyOther
        : StartsWith(name, "x-forwarded-"u8) ? KnownField.XForwardedOther
        : StartsWith(name, "access-control-"u8) ? KnownField.AccessControl
        : KnownField.None;

    /// <summary>
    /// Recognises known names that are written with <c>_</c>. A name that is longer than every known name may still begin with a known prefix, such as
    /// <c>x_forwarded_</c>.
    /// </summary>
    private static KnownField IdentifyLookalike(ReadOnlySpan<byte> name)
    {
        Span<byte> room = stackalloc byte[LongestName];
        Span<byte> dashed = room[..Math.Min(name.Length, LongestName)];
        name[..dashed.Length].Replace(dashed, (byte)'_', (byte)'-');
        KnownField known = name.Length <= LongestName ? Match(dashed) : MatchPrefix(dashed);
        return known is KnownField.None ? KnownField.None : KnownField.Lookalike;
    }

    private static bool Is(ReadOnlySpan<byte> name, ReadOnlySpan<byte> lower) => Ascii.EqualsIgnoreCase(name, lower);

    private static bool StartsWith(ReadOnlySpan<byte> name, ReadOnlySpan<byte> lower) =>
        name.Length > lower.Length && Ascii.EqualsIgnoreCase(name[..lower.Length], lower);
}
