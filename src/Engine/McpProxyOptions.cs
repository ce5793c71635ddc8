using System.IO.Pipelines;
using System.Net;
using System.Security.Cryptography.X509Certificates;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;

namespace McpProxyFast;

/// <summary>Everything a host sets. Validated when a <see cref="McpProxy"/> is made of it, and frozen then.</summary>
public sealed record McpProxyOptions
{
    /// <summary>Where to listen; port 0 for one that the system chooses.</summary>
    /// <value>Default null: no listener, the host hands over connections (<see cref="McpProxy.ServeAsync"/>).</value>
    public IPEndPoint? Listen { get; init; }

    /// <summary>If <see cref="Listen"/> is the loopback address of IPv4: listens on that of IPv6 too, with the same port, if the machine has one.</summary>
    /// <value>Default false. Programs look <c>localhost</c> up to either of the two.</value>
    public bool ListensOnBothLoopbacks { get; init; }

    /// <summary>The MCP server: http or https, with an optional path and query.</summary>
    public required Uri Target { get; init; }

    /// <summary>Every bound.</summary>
    public ProxyLimits Limits { get; init; } = new();

    /// <summary>Origins that may come in, as <c>scheme://host[:port]</c>, compared as a whole.</summary>
    /// <value>Default empty: a loopback listener derives its own, any other checks nothing. For a host's connections see <see
    /// cref="ClientConnectionInfo"/>.</value>
    public IReadOnlyList<string> AllowedOrigins { get; init; } = [];

    /// <summary>Values of <c>Host</c> that requests may have; one without a port stands for every port, and <c>*</c> allows any host.</summary>
    /// <value>Default empty. A loopback listener always accepts its own names. Any other listener accepts every name if this is empty. For a
    /// host's connections see <see cref="ClientConnectionInfo"/>.</value>
    public IReadOnlyList<string> AllowedHosts { get; init; } = [];

    /// <summary>Origins whose preflights are answered and whose answers get CORS fields.</summary>
    /// <value>Default empty: CORS is left to the upstream.</value>
    public IReadOnlyList<string> CorsOrigins { get; init; } = [];

    /// <summary>What the upstream is told of the client.</summary>
    public ForwardedFields ForwardedFields { get; init; }

    /// <summary>Whose tokens are accepted.</summary>
    /// <value>Default null: everybody may come in.</value>
    public TokenPolicy? Incoming { get; init; }

    /// <summary>The credential that goes out with each request.</summary>
    /// <value>Default null: none, and the client's own passes.</value>
    public OutgoingPolicy? Outgoing { get; init; }

    /// <summary>Fields that go out with every request, whatever its path, and in place of a client's own of the same name; of two with one name the last
    /// counts.</summary>
    /// <value>Default empty; at most 64, and 32 KiB together.</value>
    public IReadOnlyList<AddedField> AddedFields { get; init; } = [];

    /// <summary>Trust anchors for the upstream's TLS besides the system's.</summary>
    public X509Certificate2Collection? TrustedCertificates { get; init; }

    /// <summary>Where the engine logs. Nothing secret is ever logged, at any level.</summary>
    /// <remarks>
    /// Called on the threads that serve connections, so it must not block: a logger that writes by itself needs a queue. One that blocks holds up what its
    /// thread serves; time limits still hold. What it throws is ignored. Every message has an event id; those that could come often are written once, then
    /// by their number, at most one line in 10 s for each reason. Whether each exchange gets a line (debug level) is asked once, when the proxy is made.
    /// </remarks>
    public ILogger Logger { get; init; } = NullLogger.Instance;

    /// <summary>Told how each exchange ended, and when a person has to sign in.</summary>
    public IProxyObserver? Observer { get; init; }

    /// <summary>Puts what a client is told of a credential that cannot be had into the host's words.</summary>
    /// <value>Default null: as it is. Such a sentence names options of the engine, such as <c>OAuthPolicy.Server</c>, which the host's users may know by other
    /// names.</value>
    public Func<string, string>? Wording { get; init; }

    /// <summary>Collects garbage after many connections have opened or closed, so that their memory goes back to the system at once.</summary>
    /// <value>Default false: a collection stops every thread of the process, for some milliseconds, and the process is the host's.</value>
    public bool CollectsAfterBursts { get; init; }

    /// <summary>The clock and the timers.</summary>
    public TimeProvider Clock { get; init; } = TimeProvider.System;

    /// <summary>Makes upstream connections in the engine's place; the pipe is completed when the engine is done with it.</summary>
    /// <value>Default null: TCP, and TLS for https, to <see cref="Target"/>.</value>
    /// <remarks>
    /// What it throws is answered: a <see cref="TimeoutException"/>, a cancellation of its own, and <see cref="ProxyLimits.ConnectTimeout"/>, after which its
    /// token is cancelled, with 504 <c>upstream-connect-timeout</c>; an <see cref="IOException"/> or a <see cref="System.Net.Sockets.SocketException"/> with
    /// 502
    /// <c>upstream-unreachable</c>; any other exception likewise, and its type is logged. Its token is cancelled too
    /// when
    /// the client goes away; what its callbacks throw then is logged and ignored. A connection that it gives after that is completed.
    /// </remarks>
    public Func<CancellationToken, ValueTask<IDuplexPipe>>? ConnectUpstream { get; init; }

    /// <summary>Leaves the event loops out on Linux too, so that every system's transport can be tried there.</summary>
    /// <value>Default: the switch <c>McpProxyFast.PortableTransport</c> of <see cref="AppContext"/>, which is off unless a host sets it.</value>
    internal bool PortableTransport { get; init; } = AppContext.TryGetSwitch("McpProxyFast.PortableTransport", out bool isOn) && isOn;

    /// <summary>Finds the addresses of the upstream's name. For tests: an outage of a real name service cannot be had at will.</summary>
    internal Func<string, CancellationToken, Task<IPAddress[]>> LookUp { get; init; } = Dns.GetHostAddressesAsync;

    /// <summary>Says what is wrong, where, and what would be right.</summary>
    /// <exception cref="ArgumentException">A value is not usable.</exception>
    internal void Validate()
    {
        if (!Target.IsAbsoluteUri || (Target.Scheme != Uri.UriSchemeHttp && Target.Scheme != Uri.UriSchemeHttps))
        {
            string shown = Target.IsAbsoluteUri ? Target.Scheme : "a relative one";
            throw new ArgumentException($"Target must be an absolute http or https URL, not {shown}.", nameof(Target)); // its query may hold a secret
        }

        if (Target.UserInfo.Length > 0)
        {
            throw new ArgumentException("Target must not carry user information; credentials are given as options.", nameof(Target));
        }

        if (Target.Fragment.Length > 0)
        {
            throw new ArgumentException("Target must not carry a fragment: it would never be sent.", nameof(Target));
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
