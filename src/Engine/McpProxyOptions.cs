using System.IO.Pipelines;
using System.Net;
using System.Security.Cryptography.X509Certificates;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;

namespace McpProxyFast;

/// <summary>The options of an <see cref="McpProxy"/>. The proxy's constructor validates them; later changes have no effect.</summary>
public sealed record McpProxyOptions
{
    /// <summary>The address to listen on; with port 0 the system chooses a port.</summary>
    /// <value>Default null: no listener; the host program passes connections to <see cref="McpProxy.ServeAsync"/>.</value>
    public IPEndPoint? Listen { get; init; }

    /// <summary>
    /// Whether to listen on <c>[::1]</c> too, with the same port, if <see cref="Listen"/> is <c>127.0.0.1</c> and the machine has IPv6.
    /// </summary>
    /// <value>Default false. With true, clients reach the proxy at <c>localhost</c>, whichever of the two addresses they resolve it to.</value>
    public bool ListensOnBothLoopbacks { get; init; }

    /// <summary>The MCP server: http or https, with an optional path and query.</summary>
    public required Uri Target { get; init; }

    /// <summary>The limits for sizes, numbers and times.</summary>
    public ProxyLimits Limits { get; init; } = new();

    /// <summary>
    /// The origins of web pages that may send requests, as <c>scheme://host[:port]</c>. A request's <c>Origin</c> must be equal to an entry, apart from case.
    /// </summary>
    /// <value>
    /// Default empty: a loopback listener accepts the origins of its own names, any other listener accepts all. For connections of the host program see
    /// <see cref="ClientConnectionInfo"/>.
    /// </value>
    public IReadOnlyList<string> AllowedOrigins { get; init; } = [];

    /// <summary>The values of <c>Host</c> that requests may have. A value without a port allows every port, and <c>*</c> allows any host.</summary>
    /// <value>
    /// Default empty. A loopback listener always accepts its own names. Any other listener accepts every name if this list is empty. For connections of the
    /// host program see <see cref="ClientConnectionInfo"/>.
    /// </value>
    public IReadOnlyList<string> AllowedHosts { get; init; } = [];

    /// <summary>
    /// The origins of web pages for which the proxy handles CORS: it answers their preflights, and adds CORS fields to the responses that they get.
    /// </summary>
    /// <value>Default empty: the proxy leaves CORS to the upstream, except for its own metadata document.</value>
    public IReadOnlyList<string> CorsOrigins { get; init; } = [];

    /// <summary>What the upstream learns about the client from <c>X-Forwarded-*</c>.</summary>
    /// <value>Default <see cref="ForwardedFields.Automatic"/>.</value>
    public ForwardedFields ForwardedFields { get; init; }

    /// <summary>Which access tokens callers must send.</summary>
    /// <value>Default null: tokens are not checked, and requests without a token are served.</value>
    public TokenPolicy? Incoming { get; init; }

    /// <summary>The credential that the proxy sends to the upstream with each request.</summary>
    /// <value>Default null: the proxy sends no credential of its own, and forwards the client's <c>Authorization</c>.</value>
    public OutgoingPolicy? Outgoing { get; init; }

    /// <summary>
    /// Fields that are added to every request to the upstream. Each replaces a field of the client with the same name; if two entries have the same name, the
    /// last one is used.
    /// </summary>
    /// <value>Default empty. At most 64 fields with at most 32 KiB together; otherwise the proxy's constructor throws.</value>
    public IReadOnlyList<AddedField> AddedFields { get; init; } = [];

    /// <summary>
    /// Certificate authorities that are trusted for TLS with the upstream and with authorization servers, besides those of the system.
    /// </summary>
    /// <value>Default null: only the certificate authorities of the system are trusted.</value>
    public X509Certificate2Collection? TrustedCertificates { get; init; }

    /// <summary>The logger of the engine. Secrets are never logged, at any level.</summary>
    /// <remarks>
    /// It is called on the threads that serve connections, so it must not block: a logger that writes to a file or a network needs a queue. If it blocks, it
    /// delays the connections that the same thread serves; the proxy's time limits still hold. Its exceptions are ignored. Every message has an event id. A
    /// message that could come often is written once in full. Later ones with the same reason are counted, and the count is written at most once in 10 s.
    /// Exchanges are logged if the debug level is enabled when the proxy is created.
    /// </remarks>
    public ILogger Logger { get; init; } = NullLogger.Instance;

    /// <summary>Gets a report when an exchange has ended, and when a person must sign in.</summary>
    /// <value>Default null: there is no observer.</value>
    public IProxyObserver? Observer { get; init; }

    /// <summary>
    /// Rewrites the error message that a client gets if the proxy cannot obtain a credential. The message may name options of the engine, such as
    /// <c>OAuthPolicy.Server</c>, which the host's users may know by other names.
    /// </summary>
    /// <value>Default null: the message is not changed. If the function throws, the message is not changed either.</value>
    public Func<string, string>? Wording { get; init; }

    /// <summary>
    /// Whether to run a garbage collection after many connections have opened or closed, so that their memory is returned to the system soon.
    /// </summary>
    /// <value>Default false, since a collection stops every thread of the host's process for some milliseconds.</value>
    public bool CollectsAfterBursts { get; init; }

    /// <summary>The source of all times and timers of the proxy.</summary>
    /// <value>Default <see cref="TimeProvider.System"/>.</value>
    public TimeProvider Clock { get; init; } = TimeProvider.System;

    /// <summary>Creates the upstream connections instead of the engine. The engine completes a pipe when it no longer needs it.</summary>
    /// <value>Default null: TCP, and TLS for https, to <see cref="Target"/>.</value>
    /// <remarks>
    /// If it throws a <see cref="TimeoutException"/> or an <see cref="OperationCanceledException"/>, or takes longer than
    /// <see cref="ProxyLimits.ConnectTimeout"/>, the request is answered with 504 <c>upstream-connect-timeout</c>. If it throws any other exception, the
    /// request is answered with 502 <c>upstream-unreachable</c>; the exception's type is logged, unless it is an <see cref="IOException"/> or a
    /// <see cref="System.Net.Sockets.SocketException"/>. The cancellation token is cancelled after <see cref="ProxyLimits.ConnectTimeout"/>, and when the
    /// client disconnects. Exceptions of callbacks that are registered on the token are logged and ignored. If a connection is returned after the cancellation,
    /// the engine completes it without using it.
    /// </remarks>
    public Func<CancellationToken, ValueTask<IDuplexPipe>>? ConnectUpstream { get; init; }

    /// <summary>
    /// Whether Linux uses the same transport as other systems, instead of event loops with epoll. With this, tests can use that transport on Linux.
    /// </summary>
    /// <value>Default: the switch <c>McpProxyFast.PortableTransport</c> of <see cref="AppContext"/>, which is off unless a host sets it.</value>
    internal bool PortableTransport { get; init; } = AppContext.TryGetSwitch("McpProxyFast.PortableTransport", out bool isOn) && isOn;

    /// <summary>Resolves the upstream's host name. Tests replace it, to control the results and their timing.</summary>
    internal Func<string, CancellationToken, Task<IPAddress[]>> LookUp { get; init; } = Dns.GetHostAddressesAsync;

    /// <summary>Checks the options. The exception says what is wrong, where, and what would be right.</summary>
    /// <exception cref="ArgumentException">An option is wrong.</exception>
    internal void Validate()
    {
        if (!Target.IsAbsoluteUri || (Target.Scheme != Uri.UriSchemeHttp && Target.Scheme != Uri.UriSchemeHttps))
        {
            string shown = Target.IsAbsoluteUri ? Target.Scheme : "a relative one";
            throw new ArgumentException($"Target must be an absolute http or https URL, not {shown}.", nameof(Target)); // the URL's query may be secret
        }

        if (Target.UserInfo.Length > 0)
        {
            throw new ArgumentException("Target must not contain a user name or password; give credentials with McpProxyOptions.Outgoing.", nameof(Target));
        }

        if (Target.Fragment.Length > 0)
        {
            throw new ArgumentException("Target must not have a fragment (#...), since a fragment is never sent.", nameof(Target));
        }

        bool isOwn = Listen is not null
            && (SelfTarget.Is(Target, Listen) || (ListensOnBothLoopbacks && SelfTarget.Is(Target, new IPEndPoint(IPAddress.IPv6Loopback, Listen.Port))));
        if (isOwn && ConnectUpstream is null)
        {
            throw new ArgumentException(
                $"Target: {Target.GetLeftPart(UriPartial.Authority)} is where the proxy itself would listen ({Listen}); "
                + "name the MCP server's address, or listen on another port.",
                nameof(Target));
        }
    }
}
