using System.Text;

namespace McpProxyFast.Http1;

/// <summary>The field names that the proxy acts on. Every other name is <see cref="None"/> and travels as it came.</summary>
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
    Forwarded,
    XForwardedFor,
    XForwardedHost,
    XForwardedProto,
    XForwardedOther,
    Location,
    WwwAuthenticate,
    DPoP,
    DPoPNonce,
    AccessControlRequestMethod,
    AccessControl,

    /// <summary>A name that is one of the above but for <c>_</c> where that has <c>-</c>: some servers take both for the same.</summary>
    Lookalike,
}

/// <summary>Recognises field names, without regard to case (RFC 9110 §5.1).</summary>
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
        6 => Is(name, "origin"u8) ? KnownField.Origin : Is(name, "expect"u8) ? KnownField.Expect : KnownField.None,
        7 => Is(name, "upgrade"u8) ? KnownField.Upgrade
            : Is(name, "trailer"u8) ? KnownField.Trailer
            : Is(name, "alt-svc"u8) ? KnownField.AltSvc
            : MatchPrefix(name),
        8 => Is(name, "location"u8) ? KnownField.Location : MatchPrefix(name),
        9 => Is(name, "forwarded"u8) ? KnownField.Forwarded : MatchPrefix(name),
        10 => Is(name, "connection"u8) ? KnownField.Connection
            : Is(name, "keep-alive"u8) ? KnownField.KeepAlive
            : Is(name, "dpop-nonce"u8) ? KnownField.DPoPNonce
            : MatchPrefix(name),
        12 => Is(name, "max-forwards"u8) ? KnownField.MaxForwards : MatchPrefix(name),
        13 => Is(name, "authorization"u8) ? KnownField.Authorization : MatchPrefix(name),
        14 => Is(name, "content-length"u8) ? KnownField.ContentLength
            : Is(name, "http2-settings"u8) ? KnownField.Http2Settings
            : MatchPrefix(name),
        15 => Is(name, "x-forwarded-for"u8) ? KnownField.XForwardedFor : MatchPrefix(name),
        16 => Is(name, "www-authenticate"u8) ? KnownField.WwwAuthenticate
            : Is(name, "x-forwarded-host"u8) ? KnownField.XForwardedHost
            : Is(name, "proxy-connection"u8) ? KnownField.ProxyConnection
            : MatchPrefix(name),
        17 => Is(name, "transfer-encoding"u8) ? KnownField.TransferEncoding
            : Is(name, "x-forwarded-proto"u8) ? KnownField.XForwardedProto
            : MatchPrefix(name),
        29 => Is(name, "access-control-request-method"u8) ? KnownField.AccessControlRequestMethod : MatchPrefix(name),
        _ => MatchPrefix(name),
    };

    private static KnownField MatchPrefix(ReadOnlySpan<byte> name) =>
        StartsWith(name, "proxy-"u8) ? KnownField.ProxyOther
        : StartsWith(name, "x-forwarded-"u8) ? KnownField.XForwardedOther
        : StartsWith(name, "access-control-"u8) ? KnownField.AccessControl
        : KnownField.None;

    private static KnownField IdentifyLookalike(ReadOnlySpan<byte> name)
    {
        if (name.Length > LongestName)
        {
            return KnownField.None;
        }

        Span<byte> dashed = stackalloc byte[LongestName];
        name.Replace(dashed, (byte)'_', (byte)'-');
        return Match(dashed[..name.Length]) is KnownField.None ? KnownField.None : KnownField.Lookalike;
    }

    private static bool Is(ReadOnlySpan<byte> name, ReadOnlySpan<byte> lower) => Ascii.EqualsIgnoreCase(name, lower);

    private static bool StartsWith(ReadOnlySpan<byte> name, ReadOnlySpan<byte> lower) =>
        name.Length > lower.Length && Ascii.EqualsIgnoreCase(name[..lower.Length], lower);
}
