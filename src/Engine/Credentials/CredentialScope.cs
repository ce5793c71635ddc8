using System.Diagnostics;
using System.Text;

namespace McpProxyFast.Credentials;

/// <summary>
/// Decides by a request's path whether it gets the credential. Requests to the target's resource get it: to the path of that resource, and to paths below it.
/// </summary>
/// <remarks>
/// Other paths of the same origin may belong to other tenants. If the target's URL has a path, that path is the resource. If it has none, the resource is the
/// path that first asks for a token and for which a token is obtained. But if the operator has set the token or named the authorization server, the credential
/// is for the whole origin until a token has been obtained for such a path. Paths are compared as bytes. Servers interpret dot segments and encoded separators
/// differently, so a path that has one of these below the resource's path is not covered.
/// </remarks>
internal sealed class CredentialScope
{
    /// <summary>
    /// The maximum number of announced paths that are kept (see <see cref="Announce"/>). When it is reached, a new path replaces the oldest. Some servers
    /// announce a path for each session.
    /// </summary>
    public const int MaxAnnounced = 256;

    private readonly Uri _target;

    /// <summary>A lock that is held while an announced path is added.</summary>
    private readonly Lock _announcing = new();

    /// <summary>A lock that is held while <see cref="_extent"/> is changed.</summary>
    private readonly Lock _deciding = new();

    /// <summary>The announced paths. Elements from <c>_announcedCount</c> on are null.</summary>
    private readonly byte[]?[] _announced = new byte[]?[MaxAnnounced];

    /// <summary>The number of announced paths that are kept. It never decreases.</summary>
    private volatile int _announcedCount;

    /// <summary>The index for the next announced path. Used only while <c>_announcing</c> is held.</summary>
    private int _nextAnnounced;

    /// <summary>The resource, and how certain it is; null as long as no resource is known.</summary>
    private volatile Extent? _extent;

    /// <param name="target">The upstream.</param>
    /// <param name="isForOrigin">
    /// Not used if the target's URL has a path. If it has none: true if the credential is for the whole origin until a token has been obtained for a path that
    /// asked for one; false if it is only for the path that first asks for a token and gets one.
    /// </param>
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
        /// <summary>The resource has asked for a token, and none has been obtained yet.</summary>
        Asking,

        /// <summary>The credential is for the whole origin, until one has been obtained for a path of the origin that asked for a token.</summary>
        Assumed,

        /// <summary>The resource does not change any more.</summary>
        Settled,
    }

    /// <summary>The URL of the resource, which may not be certain yet; null as long as no resource is known.</summary>
    public Uri? Resource => _extent?.Resource;

    /// <summary>Whether the credential's resource is known for certain, so that no other resource can replace it.</summary>
    public bool IsSettled => _extent is { Certainty: Certainty.Settled };

    /// <summary>Whether the credential may be sent with a request for this path.</summary>
    /// <remarks>On the request path.</remarks>
    public bool Covers(ReadOnlySpan<byte> path) =>
        _extent is { Certainty: not Certainty.Asking } extent && (Encloses(extent.Path, path) || IsAnnounced(path));

    public bool Covers(Uri url) => Covers(BytesOf(url));

    /// <summary>Whether a request for this path must wait while a credential is being obtained.</summary>
    /// <remarks>On the request path.</remarks>
    public bool Concerns(ReadOnlySpan<byte> path) => _extent is not { } extent || Encloses(extent.Path, path) || IsAnnounced(path);

    public bool Concerns(Uri url) => Concerns(BytesOf(url));

    /// <summary>Whether a challenge in the upstream's answer to a request for this path counts as a request for this credential.</summary>
    /// <remarks>On the request path.</remarks>
    public bool MayAsk(ReadOnlySpan<byte> path) => _extent is null or { Certainty: Certainty.Asking } ? IsPlain(path) : Covers(path);

    /// <summary>Called when the upstream asks for a token.</summary>
    /// <param name="url">The URL that was requested from the upstream.</param>
    /// <returns>The URL of the resource for which a token is to be obtained; null if the credential is for another resource.</returns>
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

    /// <summary>
    /// Called when a credential for the resource at this path has been obtained, or found in the store. The first call decides which resource the credential is
    /// for. Exception: if it is assumed to be for the whole origin, and the path is the origin's, it stays assumed.
    /// </summary>
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
            Debug.Assert(resource.Authority == _target.Authority, "A path cannot lead to another host.");
            _extent = new Extent(PathOf(resource), resource, Certainty.Settled);
        }
    }

    /// <summary>
    /// Called when a stored credential is for the resource at this path. Does the same as <see cref="Settle"/>, and says whether the credential can be used
    /// here.
    /// </summary>
    /// <returns>
    /// Whether this scope is for that resource. If the target's URL has no path, another process that shares the store may have stored a credential for another
    /// resource.
    /// </returns>
    public bool TrySettle(string path)
    {
        Settle(path);
        return _target.AbsolutePath.Length > 1 || (_extent is { } extent && extent.Path.AsSpan().SequenceEqual(PathOf(At(path))));
    }

    /// <summary>
    /// Returns the URL for a path on the target's origin. The strings are joined: if a path that starts with <c>//</c> were resolved as a relative reference,
    /// it would name a host.
    /// </summary>
    private Uri At(string path) => new(_target.GetLeftPart(UriPartial.Authority) + path);

    /// <summary>Returns the path of a resource on the target's origin; null if the resource is not an absolute URL, or has another origin.</summary>
    public static string? PathOn(Uri target, string? resource) =>
        Uri.TryCreate(resource, UriKind.Absolute, out Uri? url) && IsSameOrigin(url, target) ? url.AbsolutePath : null;

    /// <summary>
    /// Called when the resource has announced the URL that clients must post to (the <c>endpoint</c> event of MCP 2024-11-05). That URL's path gets the
    /// credential too.
    /// </summary>
    /// <param name="reference">The URL in the event, absolute or relative. A URL with another origin is ignored.</param>
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

    /// <summary>
    /// Whether a path has neither <c>..</c> nor an encoded dot, slash, backslash or percent sign, so that no server can interpret it as leading to a higher
    /// level.
    /// </summary>
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

    /// <summary>The resource that the credential is for.</summary>
    /// <param name="Path">The resource's path without the slash at the end; empty for the whole origin.</param>
    /// <param name="Resource">The resource's URL.</param>
    /// <param name="Certainty">How certain it is that this is the resource.</param>
    private sealed record Extent(byte[] Path, Uri Resource, Certainty Certainty);
}
