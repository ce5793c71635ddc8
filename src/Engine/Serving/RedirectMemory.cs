using System.Collections.Immutable;
using System.Text;

namespace McpProxyFast.Serving;

/// <summary>Remembers recent redirects within the upstream's own origin, so that later requests go to the new path at once.</summary>
/// <remarks>Web frameworks redirect <c>/mcp</c> to <c>/mcp/</c>. A request only reads one reference to an immutable array.</remarks>
internal sealed class RedirectMemory
{
    /// <summary>How many redirects are remembered. Any further one has to be followed for each request.</summary>
    private const int MaxKept = 16;

    /// <summary>How long a redirect is remembered: a 307 is temporary (RFC 9110 §15.4.8), and an upstream may be restarted with other paths.</summary>
    private const long LifetimeMilliseconds = 60_000;

    /// <summary>The remembered redirects; replaced as a whole.</summary>
    private ImmutableArray<Entry> _kept = [];

    /// <summary>Finds where requests for a target are redirected; empty if no redirect is remembered.</summary>
    /// <param name="method">The request's method: a redirect may depend on it.</param>
    /// <param name="target">The request's path and query, as received.</param>
    /// <param name="now">The heartbeat's time.</param>
    public ReadOnlyMemory<byte> Find(ReadOnlySpan<byte> method, ReadOnlySpan<byte> target, long now)
    {
        foreach (Entry entry in _kept)
        {
            if (now < entry.EndsAt && target.SequenceEqual(entry.Target) && method.SequenceEqual(entry.Method))
            {
                return entry.RedirectedTo;
            }
        }

        return default;
    }

    /// <summary>
    /// Whether a redirect only adds or removes the slash at the end of the path. Any other redirect may depend on the client, so it must not be used for
    /// others.
    /// </summary>
    /// <param name="asked">The path and query that the upstream was asked for.</param>
    /// <param name="redirectedTo">The path and query of its redirect.</param>
    public static bool IsWorthKeeping(string asked, ReadOnlySpan<byte> redirectedTo)
    {
        string named = Encoding.ASCII.GetString(redirectedTo);
        return named != asked && WithoutLastSlash(named) == WithoutLastSlash(asked);
    }

    /// <summary>Remembers a redirect, if there is room.</summary>
    public void Remember(ReadOnlySpan<byte> method, ReadOnlySpan<byte> target, byte[] redirectedTo, long now)
    {
        var entry = new Entry(method.ToArray(), target.ToArray(), redirectedTo, now + LifetimeMilliseconds);
        ImmutableInterlocked.Update(
            ref _kept,
            static (kept, added) =>
            {
                ImmutableArray<Entry> live = kept.RemoveAll(old => old.EndsAt <= added.Now || IsSame(old, added.Entry));
                return live.Length < MaxKept ? live.Add(added.Entry) : live;
            },
            (Entry: entry, Now: now));
    }

    /// <summary>Forgets a redirect that no longer works.</summary>
    public void Forget(ReadOnlyMemory<byte> redirectedTo) => ImmutableInterlocked.Update(
        ref _kept,
        static (kept, gone) => kept.RemoveAll(old => old.RedirectedTo.AsSpan().SequenceEqual(gone.Span)),
        redirectedTo);

    private static string WithoutLastSlash(string target)
    {
        int query = target.IndexOf('?', StringComparison.Ordinal);
        string path = query < 0 ? target : target[..query];
        return (path.EndsWith('/') ? path[..^1] : path) + (query < 0 ? "" : target[query..]);
    }

    private static bool IsSame(Entry one, Entry other) =>
        one.Target.AsSpan().SequenceEqual(other.Target) && one.Method.AsSpan().SequenceEqual(other.Method);

    private sealed record Entry(byte[] Method, byte[] Target, byte[] RedirectedTo, long EndsAt);
}
