using System.Diagnostics;
using System.Text;

namespace McpProxyFast.Credentials;

/// <summary>Which requests the credential is for: those whose path the target's resource covers, which is its own path and what lies below it.</summary>
/// <remarks>
/// Other paths of an origin can be other tenants'. A target with a path is its own resource. Of a bare origin it is the first resource that asks for a token
/// and for which one is obtained; a token that the operator gives ready-made is for the whole origin. Paths are compared as bytes. Dot segments and encoded
/// separators lead to different places with different servers, so below the resource such a path is not covered.
/// </remarks>
internal sealed class CredentialScope
{
    /// <summary>Most paths kept that the resource has announced; the oldest makes room. Some servers announce one for each session.</summary>
    public const int MaxAnnounced = 256;

    private readonly Uri _target;

    /// <summary>Held while a path that the resource has announced is added.</summary>
    private readonly Lock _announcing = new();

    /// <summary>Held while what is known of the resource is changed.</summary>
    private readonly Lock _deciding = new();

    /// <summary>The paths that the resource has announced; those from <c>_announcedCount</c> on are null.</summary>
    private readonly byte[]?[] _announced = new byte[]?[MaxAnnounced];

    /// <summary>How many paths there are; only grows.</summary>
    private volatile int _announcedCount;

    /// <summary>Where the next announced path goes; valid under the lock.</summary>
    private int _nextAnnounced;

    /// <summary>The resource as far as it is known; null if the target is a bare origin and nothing on it has asked for a token yet.</summary>
    private volatile Extent? _extent;

    /// <param name="target">The upstream.</param>
    /// <param name="isForOrigin">For a bare origin: the operator gave the token for the whole origin, so no resource has to ask first.</param>
    public CredentialScope(Uri target, bool isForOrigin)
    {
        _target = target;
        bool hasPath = target.AbsolutePath.Length > 1;
        _extent = hasPath ? new Extent(PathOf(target), target, Certainty.Settled)
            : isForOrigin ? new Extent([], target, Certainty.Assumed)
            : null;
    }

    private enum Certainty
    {
        /// <summary>It has asked for a token, and none has been obtained yet.</summary>
        Asking,

        /// <summary>The whole origin, until a resource on it asks.</summary>
        Assumed,

        /// <summary>For good.</summary>
        Settled,
    }

    /// <summary>The resource for which a token is obtained before a request asks; null while none is known.</summary>
    public Uri? Resource => _extent?.Resource;

    /// <summary>Whether the credential's resource is known, so that no other can take its place.</summary>
    public bool IsSettled => _extent is { Certainty: Certainty.Settled };

    /// <summary>Whether the credential may go out with a request for this path.</summary>
    /// <remarks>On the request path.</remarks>
    public bool Covers(ReadOnlySpan<byte> path) =>
        _extent is { Certainty: not Certainty.Asking } extent && (Encloses(extent.Path, path) || IsAnnounced(path));

    public bool Covers(Uri url) => Covers(BytesOf(url));

    /// <summary>Whether a request for this path waits for a credential.</summary>
    /// <remarks>On the request path.</remarks>
    public bool Concerns(ReadOnlySpan<byte> path) => _extent is not { } extent || Encloses(extent.Path, path) || IsAnnounced(path);

    public bool Concerns(Uri url) => Concerns(BytesOf(url));

    /// <summary>Whether the upstream's challenge to a request for this path is about the credential.</summary>
    /// <remarks>On the request path.</remarks>
    public bool MayAsk(ReadOnlySpan<byte> path) => _extent is null or { Certainty: Certainty.Asking } ? IsPlain(path) : Covers(path);

    /// <summary>A resource asks for a token.</summary>
    /// <param name="url">What was requested.</param>
    /// <returns>The resource for which a token is to be obtained; null if the credential belongs to another resource.</returns>
    public Uri? Ask(Uri url)
    {
        lock (_deciding)
        {
            switch (_extent)
            {
                case { Certainty: Certainty.Settled } extent:
                    return Covers(url) ? extent.Resource : null;
                case { Certainty: Certainty.Assumed }:
                    return url;
                default:
                    _extent = new Extent(PathOf(url), url, Certainty.Asking);
                    return url;
            }
        }
    }

    /// <summary>A credential has been obtained, or was kept, for the resource at this path of the origin. The first settles it.</summary>
    public void Settle(string path)
    {
        bool isOrigin = path.TrimEnd('/').Length == 0;
        lock (_deciding)
        {
            if (_extent is { Certainty: Certainty.Settled } || (isOrigin && _extent is { Certainty: Certainty.Assumed }))
            {
                return;
            }

            Uri resource = At(path);
            Debug.Assert(resource.Authority == _target.Authority, "A path leads to no other host.");
            _extent = new Extent(PathOf(resource), resource, Certainty.Settled);
        }
    }

    /// <summary>A kept credential is for the resource at this path. The first settles it.</summary>
    /// <returns>Whether that is the resource. Of a bare origin, two processes may have settled two, and share what is kept.</returns>
    public bool TrySettle(string path)
    {
        Settle(path);
        return _target.AbsolutePath.Length > 1 || (_extent is { } extent && extent.Path.AsSpan().SequenceEqual(PathOf(At(path))));
    }

    /// <summary>The resource at a path of the origin. <c>//x</c> is a path here; as a relative reference it would name a host.</summary>
    private Uri At(string path) => new(_target.GetLeftPart(UriPartial.Authority) + path);

    /// <summary>The path that a resource on the target's origin has; null for one elsewhere, and for a name that is not a URL.</summary>
    public static string? PathOn(Uri target, string? resource) =>
        Uri.TryCreate(resource, UriKind.Absolute, out Uri? url) && IsSameOrigin(url, target) ? url.AbsolutePath : null;

    /// <summary>The resource has told a client where to post to (the <c>endpoint</c> event of MCP 2024-11-05): that is part of it, wherever it lies.</summary>
    /// <param name="reference">As the event has it, absolute or relative; one that leads to another origin is ignored.</param>
    public void Announce(string reference)
    {
        if (!Uri.TryCreate(_target, reference, out Uri? url) || !IsSameOrigin(url, _target))
        {
            return;
        }

        byte[] path = BytesOf(url);
        lock (_announcing)
        {
            if (Covers(path))
            {
                return;
            }

            Volatile.Write(ref _announced[_nextAnnounced], path);
            _nextAnnounced = (_nextAnnounced + 1) % MaxAnnounced;
            _announcedCount = Math.Min(_announcedCount + 1, MaxAnnounced);
        }
    }

    private bool IsAnnounced(ReadOnlySpan<byte> path)
    {
        int count = _announcedCount;
        for (int i = 0; i < count; i++)
        {
            if (path.SequenceEqual(Volatile.Read(ref _announced[i])))
            {
                return true;
            }
        }

        return false;
    }

    private static bool Encloses(byte[] resource, ReadOnlySpan<byte> path) =>
        resource.Length == 0
        || (path.StartsWith(resource) && (path.Length == resource.Length || (path[resource.Length] == (byte)'/' && IsPlain(path[resource.Length..]))));

    /// <summary>No server can read a path as leading upwards that has neither <c>..</c> nor an encoded dot, slash, backslash or percent sign.</summary>
    private static bool IsPlain(ReadOnlySpan<byte> path)
    {
        if (path.IndexOf(".."u8) >= 0)
        {
            return false;
        }

        for (int at; (at = path.IndexOf((byte)'%')) >= 0; path = path[(at + 1)..])
        {
            if (path[(at + 1)..] is [(byte)'2', (byte)'e' or (byte)'E' or (byte)'f' or (byte)'F' or (byte)'5', ..] or [(byte)'5', (byte)'c' or (byte)'C', ..])
            {
                return false;
            }
        }

        return true;
    }

    private static bool IsSameOrigin(Uri one, Uri other) => one.Scheme == other.Scheme && one.IdnHost == other.IdnHost && one.Port == other.Port;

    private static byte[] PathOf(Uri url) => Encoding.ASCII.GetBytes(url.AbsolutePath.TrimEnd('/'));

    private static byte[] BytesOf(Uri url) => Encoding.ASCII.GetBytes(url.AbsolutePath);

    /// <summary>What the credential is for.</summary>
    /// <param name="Path">Its path without the final slash; empty for the whole origin.</param>
    /// <param name="Resource">Its URL.</param>
    /// <param name="Certainty">How sure that is.</param>
    private sealed record Extent(byte[] Path, Uri Resource, Certainty Certainty);
}
