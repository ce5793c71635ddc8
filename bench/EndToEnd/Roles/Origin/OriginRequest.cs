using System.Buffers.Text;
using McpProxyFast.EndToEnd.Wire;

namespace McpProxyFast.EndToEnd.Roles.Origin;

/// <summary>What a request asks of the origin, read from its target.</summary>
internal readonly record struct OriginRequest(OriginRequest.Behaviour Wanted, long Number, bool Flag)
{
    /// <summary>The origin's behaviours.</summary>
    internal enum Behaviour
    {
        /// <summary><c>/mcp</c>: the small JSON answer; with <c>?bearer=1</c> (the flag) only for the injected credential.</summary>
        Call,

        /// <summary><c>/mcp?heads=real</c>: the same under the head of a real server, and only for the whole token of a real client.</summary>
        CallWithRealHeads,

        /// <summary><c>/sse?rate=</c> (the number, events per second; 0: one event, then silence) <c>&amp;form=close</c> (the flag).</summary>
        Stream,

        /// <summary><c>/down?bytes=</c> (the number) <c>&amp;chunked=1</c> (the flag).</summary>
        Down,

        /// <summary><c>/sse-together?rate=</c>: a stream whose events are due at the same moments as those of all others.</summary>
        StreamTogether,

        /// <summary><c>/up</c>: counts the body's bytes and says how many there were.</summary>
        Up,

        Discovery,
        KeySet,

        /// <summary><c>/token</c>: the injected credential, in exchange for whatever is shown.</summary>
        Exchange,
        Unknown,
    }

    public static OriginRequest Read(in MessageHead head)
    {
        ReadOnlySpan<byte> target = head.Target;
        int mark = target.IndexOf((byte)'?');
        ReadOnlySpan<byte> path = mark < 0 ? target : target[..mark];
        ReadOnlySpan<byte> query = mark < 0 ? default : target[mark..];

        return path switch
        {
            _ when path.SequenceEqual("/mcp"u8) && query.IndexOf("heads=real"u8) >= 0 => new(Behaviour.CallWithRealHeads, 0, true),
            _ when path.SequenceEqual("/mcp"u8) => new(Behaviour.Call, 0, query.IndexOf("bearer=1"u8) >= 0),
            _ when path.SequenceEqual("/sse"u8) => new(Behaviour.Stream, NumberAfter(query, "rate="u8), query.IndexOf("form=close"u8) >= 0),
            _ when path.SequenceEqual("/sse-together"u8) => new(Behaviour.StreamTogether, NumberAfter(query, "rate="u8), false),
            _ when path.SequenceEqual("/down"u8) => new(Behaviour.Down, NumberAfter(query, "bytes="u8), query.IndexOf("chunked=1"u8) >= 0),
            _ when path.SequenceEqual("/up"u8) => new(Behaviour.Up, 0, false),
            _ when path.SequenceEqual("/.well-known/openid-configuration"u8) => new(Behaviour.Discovery, 0, false),
            _ when path.SequenceEqual("/jwks"u8) => new(Behaviour.KeySet, 0, false),
            _ when path.SequenceEqual("/token"u8) => new(Behaviour.Exchange, 0, false),
            _ => new(Behaviour.Unknown, 0, false),
        };
    }

    private static long NumberAfter(ReadOnlySpan<byte> query, ReadOnlySpan<byte> key)
    {
        int start = query.IndexOf(key);
        return start >= 0 && Utf8Parser.TryParse(query[(start + key.Length)..], out long number, out _) ? number : 0;
    }
}
