using System.IO.Pipelines;
using System.Net;
using System.Security.Cryptography.X509Certificates;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;

namespace McpProxyFast;

/// <summary>The options of a <see cref="McpProxy"/>. They are validated when the proxy is created; later changes have no effect.</summary>
public sealed record McpProxyOptions
{
    /// <summary>The address to listen on; with port 0 the system chooses a port.</summary>
    /// <value>Default null: no listener; the host program passes connections to <see cref="McpProxy.ServeAsync"/>.</value>
    public IPEndPoint? Listen { get; init; }

    /// <summary>
    /// Whether to listen on the loopback address of IPv6 too, with the same port, if <see cref="Listen"/> is that of IPv4 and the machine has IPv6.
    /// </summary>
    /// <value>Default false. Programs resolve <c>localhost</c> to one or the other of the two.</value>
    public bool ListensOnBothLoopbacks { get; init; }

    /// <summary>The MCP server: http or https, with an optional path and query.</summary>
    public required Uri Target { get; init; }

    /// <summary>The limits for sizes, numbers and times.</summary>
    public ProxyLimits Limits { get; init; } = new();

    /// <summary>The origins of web pages that may send requests, as <c>scheme://host[:port]</c>. They must match completely.</summary>
    /// <value>
    /// Default empty: a loopback listener accepts its own origins, any other listener accepts all. For connections of the host program see
    /// <see cref="ClientConnectionInfo"/>.
    /// </value>
    public IReadOnlyList<string> AllowedOrigins { get; init; } = [];

    /// <summary>The values of <c>Host</c> that requests may have. A value without a port allows every port, and <c>*</c> allows any host.</summary>
    /// <value>
    /// Default empty. A loopback listener always accepts its own names. Any other listener accepts every name if this list is empty. For connections of the
    /// host program see <see cref="ClientConnectionInfo"/>.
    /// </value>
    public IReadOnlyList<string> AllowedHosts { get; init; } = [];

    /// <summary>The origins of web pages for which the proxy handles CORS: it answers their preflights and adds CORS fields to their answers.</summary>
    /// <value>Default empty: CORS is left to the upstream.</value>
    public IReadOnlyList<string> CorsOrigins { get; init; } = [];

    /// <summary>What the upstream learns about the client from <c>X-Forwarded-*</c>.</summary>
    public ForwardedFields ForwardedFields { get; init; }

    /// <summary>Which access tokens callers must send.</summary>
    /// <value>Default null: none; requests without a token are served.</value>
    public TokenPolicy? Incoming { get; init; }

    /// <summary>The credential that the proxy sends to the upstream with each request.</summary>
    /// <value>Default null: none; the client's own <c>Authorization</c> is forwarded.</value>
    public OutgoingPolicy? Outgoing { get; init; }

    /// <summary>
    /// Fields that are added to every request to the upstream. Each replaces a field of the client with the same name; if two entries have the same name, the
    /// last one counts.
    /// </summary>
    /// <value>Default empty. At most 64 fields, and 32 KiB together.</value>
    public IReadOnlyList<AddedField> AddedFields { get; init; } = [];

    /// <summary>Certificate authorities that are trusted for the upstream's TLS, besides those of the system.</summary>
    public X509Certificate2Collection? TrustedCertificates { get; init; }

    /// <summary>The logger of the engine. Secrets are never logged, at any level.</summary>
    /// <remarks>
    /// It is called on the threads that serve connections, so it must not block: a logger that writes to a file or a network needs a queue. One that blocks
    /// delays the connections that its thread serves; time limits still hold. Its exceptions are ignored. Every message has an event id. A message that could
    /// come often is written once, and then only as a count, at most once in 10 s for each reason. Whether each exchange is logged (debug level) is decided
    /// when the proxy is created.
    /// </remarks>
    public ILogger Logger { get; init; } = NullLogger.Instance;

    /// <summary>Gets a report when an exchange has ended, and when a person must sign in.</summary>
    public IProxyObserver? Observer { get; init; }

    /// <summary>Changes the sentence that a client gets if the proxy cannot obtain a credential, into words that the host's users know.</summary>
    /// <value>
    /// Default null: the sentence is not changed. It may name options of the engine, such as <c>OAuthPolicy.Server</c>, which users may know by other names.
    /// </value>
    public Func<string, string>? Wording { get; init; }

    /// <summary>
    /// Whether to run a garbage collection after many connections have opened or closed, so that their memory is returned to the system soon.
    /// </summary>
    /// <value>Default false, since a collection stops every thread of the host's process for some milliseconds.</value>
    public bool CollectsAfterBursts { get; init; }

    /// <summary>The clock and the timers.</summary>
    public TimeProvider Clock { get; init; } = TimeProvider.System;

    /// <summary>Creates the upstream connections instead of the engine. The engine completes a pipe when it no longer needs it.</summary>
    /// <value>Default null: TCP, and TLS for https, to <see cref="Target"/>.</value>
    /// <remarks>
    /// If it throws, the request is answered with an error: after a <see cref="TimeoutException"/>, a cancellation of its own, or
    /// <see cref="ProxyLimits.ConnectTimeout"/>, after which its token is cancelled, with 504 <c>upstream-connect-timeout</c>; after an
    /// <see cref="IOException"/> or a <see cref="System.Net.Sockets.SocketException"/> with 502 <c>upstream-unreachable</c>; after any other exception
    /// likewise, and its type is logged. Its token is cancelled too when the client goes away; exceptions of its callbacks are then logged and ignored. A
    /// connection that it returns after that is only completed.
    /// </remarks>
    public Func<CancellationToken, ValueTask<IDuplexPipe>>? ConnectUpstream { get; init; }

    /// <summary>Whether to use the transport of the other systems also on Linux, without event loops, so that it can be tested there.</summary>
    /// <value>Default: the switch <c>McpProxyFast.PortableTransport</c> of <see cref="AppContext"/>, which is off unless a host sets it.</value>
    internal bool PortableTransport { get; init; } = AppContext.TryGetSwitch("McpProxyFast.PortableTransport", out bool isOn) && isOn;

    /// <summary>Resolves the upstream's host name. Tests replace it, since they cannot stop a real name service.</summary>
    internal Func<string, CancellationToken, Task<IPAddress[]>> LookUp { get; init; } = Dns.GetHostAddressesAsync;

    /// <summary>Checks the options. The exception says what is wrong, where, and what would be right.</summary>
    /// <exception cref="ArgumentException">An option is wrong.</exception>
    internal void Validate()
    {
        if (!Target.IsAbsoluteUri || (Target.Scheme != Uri.UriSchemeHttp && Target.Scheme != Uri.UriSchemeHttps))
        {
            string shown = Target.IsAbsoluteUri ? Target.Scheme : "a relative one";
            throw new ArgumentException($"Target must be an absolute http or https URL, not {shown}.", nameof(Target)); // its query may hold a secret
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
