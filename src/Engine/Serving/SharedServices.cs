using McpProxyFast.Admission;
using McpProxyFast.Credentials;
using McpProxyFast.Outcomes;
using McpProxyFast.Http1;
using McpProxyFast.Relay;
using McpProxyFast.Rewriting;
using McpProxyFast.Transport;
using McpProxyFast.Upstream;
using Microsoft.Extensions.Logging;

namespace McpProxyFast.Serving;

/// <summary>What all client connections of one proxy share. Created once; of its properties, only <see cref="IsDraining"/> changes.</summary>
internal sealed class SharedServices
{
    private volatile bool _isDraining;

    public required ProxyLimits Limits { get; init; }

    public required Heartbeat Heartbeat { get; init; }

    /// <summary>All client connections that are open.</summary>
    public required ConnectionSet Connections { get; init; }

    public required UpstreamPool Pool { get; init; }

    /// <summary>Marks the requests that this proxy forwards, to detect loops.</summary>
    public required HopMark Hop { get; init; }

    public required RequestRewriter RequestRewriter { get; init; }

    public required ResponseRewriter ResponseRewriter { get; init; }

    /// <summary>Rewrites the first event of a stream that answers a GET. In HTTP+SSE, that event names the URL that the client must post to.</summary>
    public required BodyStart EndpointEvents { get; init; }

    /// <summary>
    /// Like <see cref="EndpointEvents"/>, for streams of the credential's resource: the credential is then also sent to the URL that the event names.
    /// </summary>
    public required BodyStart ResourceEndpointEvents { get; init; }

    public required CorsRule Cors { get; init; }

    /// <summary>Recent redirects by the upstream.</summary>
    public RedirectMemory Redirects { get; } = new();

    /// <summary>What is needed to check access tokens; null if clients need no token.</summary>
    public TokenParts? Tokens { get; init; }

    /// <summary>
    /// The credentials for the upstream; null if the proxy adds none. Then the client's own credential is forwarded, unless <see
    /// cref="TokenParts.PassesAuthorization"/> is false.
    /// </summary>
    public UpstreamCredentials? Credentials { get; init; }

    /// <summary>The fields that are added to every request to the upstream besides a credential; null if there are none.</summary>
    public AddedFields? AddedFields { get; init; }

    public required Uri Target { get; init; }

    public required TimeProvider Clock { get; init; }

    public required ILogger Logger { get; init; }

    public IProxyObserver? Observer { get; init; }

    /// <summary>Receives the exceptions that a host program's hooks throw.</summary>
    public required HookFaults HookFaults { get; init; }

    public required ProxyMetrics Metrics { get; init; }

    public required HeadLimits RequestHeadLimits { get; init; }

    /// <summary>Like <see cref="RequestHeadLimits"/>, but a status line may be as long as the whole head.</summary>
    public required HeadLimits ResponseHeadLimits { get; init; }

    /// <summary>The proxy is stopping: the current exchange of each connection is its last one, and responses say so.</summary>
    public bool IsDraining => _isDraining;

    public void Drain() => _isDraining = true;
}
