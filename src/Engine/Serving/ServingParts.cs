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

/// <summary>What all client connections of one proxy share. Made once; only <see cref="IsDraining"/> ever changes.</summary>
internal sealed class ServingParts
{
    private volatile bool _isDraining;

    public required ProxyLimits Limits { get; init; }

    public required Heartbeat Heartbeat { get; init; }

    /// <summary>Every connection that is open.</summary>
    public required ConnectionSet Connections { get; init; }

    public required UpstreamPool Pool { get; init; }

    /// <summary>This proxy's mark on the requests that it forwards.</summary>
    public required HopMark Hop { get; init; }

    public required RequestRewriter RequestRewriter { get; init; }

    public required ResponseRewriter ResponseRewriter { get; init; }

    /// <summary>Looks at the first event of a GET's stream: it may say where the client is to post to.</summary>
    public required BodyStart EndpointEvents { get; init; }

    /// <summary>As <see cref="EndpointEvents"/>, for streams of the credential's resource: what such an event names is part of the resource.</summary>
    public required BodyStart ResourceEndpointEvents { get; init; }

    public required CorsRule Cors { get; init; }

    /// <summary>Where the upstream has lately redirected requests to.</summary>
    public RedirectMemory Redirects { get; } = new();

    /// <summary>Null where everybody may come in.</summary>
    public TokenParts? Tokens { get; init; }

    /// <summary>Null where nothing is added, and the client's own credential passes.</summary>
    public UpstreamCredentials? Credentials { get; init; }

    /// <summary>What goes out with every request besides a credential; null for nothing.</summary>
    public AddedFields? AddedFields { get; init; }

    public required Uri Target { get; init; }

    public required TimeProvider Clock { get; init; }

    public required ILogger Logger { get; init; }

    public IProxyObserver? Observer { get; init; }

    /// <summary>Told what a host's hooks throw.</summary>
    public required HookFaults HookFaults { get; init; }

    public required Tally Tally { get; init; }

    public required HeadLimits RequestHeadLimits { get; init; }

    /// <summary>As for requests, but a status line may be as long as the head.</summary>
    public required HeadLimits ResponseHeadLimits { get; init; }

    /// <summary>No exchange after the present one: answers say so.</summary>
    public bool IsDraining => _isDraining;

    public void Drain() => _isDraining = true;
}
