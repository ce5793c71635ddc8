using System.Diagnostics;
using McpProxyFast.Http1;

namespace McpProxyFast.Serving;

/// <summary>Follows redirects of one request for the client, as long as they stay within the upstream's own origin.</summary>
internal sealed class RedirectStage
{
    /// <summary>The exchange's connection; valid between <see cref="Open"/> and <see cref="Clear"/>.</summary>
    private ClientConnection? _owner;

    /// <summary>How many redirects of this exchange have been followed.</summary>
    private int _followed;

    /// <summary><see cref="To"/> was remembered from an earlier exchange; this one has received no redirect.</summary>
    private bool _isRemembered;

    /// <summary>The path and query to send next; empty for the request's own.</summary>
    public ReadOnlyMemory<byte> To { get; private set; }

    private SharedServices Parts => _owner!.Parts;

    /// <summary>Starts a new exchange on a connection.</summary>
    public void Open(ClientConnection owner)
    {
        Debug.Assert(_owner is null, "A stage is opened once it has been cleared.");
        _owner = owner;
    }

    public void Clear()
    {
        _owner = null;
        _followed = 0;
        _isRemembered = false;
        To = default;
    }

    /// <summary>Uses the redirect that an earlier request to the same target got, if it is remembered.</summary>
    public void Recall(RequestHead request)
    {
        To = Parts.Redirects.Find(request.Method, request.PathAndQuery, Parts.Heartbeat.Now);
        _isRemembered = !To.IsEmpty;
    }

    /// <summary>Checks whether the response is a redirect to follow.</summary>
    /// <returns>True if the request is to be sent again, to <see cref="To"/>.</returns>
    public bool TryFollow(RequestStream request, ResponseHead response)
    {
        if (_isRemembered && response.Status is 404 or 405 or 410 or (>= 300 and < 400))
        {
            Parts.Redirects.Forget(To); // the remembered redirect no longer works: the next request goes to its own target again
        }

        bool follows = IsRedirect(request.Head, response.Status) && _followed < Parts.Limits.MaxRedirects && request.CanBeSentAgain;
        ReadOnlySpan<byte> target = follows ? FindTarget(response) : default;
        if (target.IsEmpty || (response.Status is not (307 or 308) && !LeadsBack(target)))
        {
            return false;
        }

        byte[] redirectedTo = target.ToArray();
        if (!request.Head.PathAndQuery.IsEmpty && RedirectMemory.IsWorthKeeping(Parts.RequestRewriter.DescribeTarget(request.Head), redirectedTo))
        {
            Parts.Redirects.Remember(request.Head.Method, request.Head.PathAndQuery, redirectedTo, Parts.Heartbeat.Now);
        }

        To = redirectedTo;
        _isRemembered = false;
        _followed++;
        return true;
    }

    /// <summary>
    /// Whether the status allows sending the same request elsewhere. After 301 and 302 a client may change the method, but need not (RFC 9110 §15.4.2).
    /// </summary>
    private static bool IsRedirect(RequestHead request, int status) =>
        status is 301 or 302 or 307 or 308 || (status is 303 && (request.IsGet || request.IsHead));

    /// <summary>
    /// Whether the proxy would change the redirect's path if a client followed the redirect itself. The upstream would then get another path, and might
    /// redirect the client without end.
    /// </summary>
    private bool LeadsBack(ReadOnlySpan<byte> target)
    {
        int query = target.IndexOf((byte)'?');
        return Parts.RequestRewriter.Changes(query < 0 ? target : target[..query]);
    }

    /// <summary>
    /// The path and query of a <c>Location</c> on the upstream's origin, absolute or relative. Empty if it leads elsewhere or has forbidden characters.
    /// </summary>
    private ReadOnlySpan<byte> FindTarget(ResponseHead response)
    {
        ReadOnlySpan<byte> location = response.Value(KnownField.Location);
        bool isLocal = location is [(byte)'/', ..] and not [(byte)'/', (byte)'/', ..];
        ReadOnlySpan<byte> path = isLocal ? location : Parts.ResponseRewriter.LocationBehindOrigin(response);
        int fragment = path.IndexOf((byte)'#');
        path = fragment < 0 ? path : path[..fragment];
        return path is [(byte)'/', ..] && !path.ContainsAny(Grammar.ForbiddenInTarget) ? path : default;
    }
}
