using System.Diagnostics.Metrics;
using System.Net.Security;
using System.Text;
using McpProxyFast.Admission;
using McpProxyFast.Credentials;
using McpProxyFast.Http1;
using McpProxyFast.Outcomes;
using McpProxyFast.Rewriting;
using McpProxyFast.Serving;
using McpProxyFast.Transport;
using McpProxyFast.Transport.Network;
using McpProxyFast.Upstream;

namespace McpProxyFast;

/// <summary>Creates the services that all client connections of one proxy share. Starts nothing.</summary>
internal static class ProxyParts
{
    /// <param name="options">The options, already validated.</param>
    /// <param name="heartbeat">The heartbeat of the proxy.</param>
    /// <param name="network">Creates the connections to the upstream.</param>
    /// <param name="incoming">Checks access tokens; null if no token is required.</param>
    /// <param name="credentials">The credentials for the upstream; null if the proxy sends none of its own.</param>
    /// <param name="added">The fields that are added to every request; null if there are none.</param>
    /// <param name="meter">Counts what the proxy does.</param>
    public static SharedServices Make(
        McpProxyOptions options,
        Heartbeat heartbeat,
        NetworkStack network,
        IncomingTokens? incoming,
        UpstreamCredentials? credentials,
        AddedFields? added,
        Meter meter)
    {
        ProxyLimits limits = options.Limits;
        var faults = new HookFaults(options.Logger, options.Clock);
        var connections = new ConnectionSet(options.Logger);
        var metrics = new ProxyMetrics(
            options.Logger, () => connections.Count, options.Observer, faults, options.Clock, hasCredential: credentials is not null, meter);
        var requestBody = new BodyLimits(limits.MaxRequestBodyBytes, limits.MaxChunkOverheadBytes);
        BodyLimits responseBody = requestBody with { MaxDataBytes = long.MaxValue };
        var hop = new HopMark();
        var origin = new UpstreamOrigin(options.Target);
        ReplacedNames? addedNames = added is null ? null : new ReplacedNames([.. added.Names]);
        WarnOfReplacedToken(options, addedNames);
        return new SharedServices
        {
            Limits = limits,
            Heartbeat = heartbeat,
            Connections = connections,
            Pool = new UpstreamPool(
                ChooseConnect(options, network, faults),
                limits.MaxIdleUpstreamConnections,
                limits.UpstreamIdleTimeout,
                limits.UpstreamPostIdleTimeout,
                limits.UpstreamMaxAge,
                heartbeat,
                metrics),
            Hop = hop,
            RequestRewriter = new RequestRewriter(options.Target, ForwardedRuleOf(options), hop, ReplacedOf(options, added), addedNames),
            ResponseRewriter = new ResponseRewriter(options.Target, hidesChallenges: credentials is not null, options.CorsOrigins.Count > 0),
            EndpointEvents = new EndpointEvent(origin).Look,
            ResourceEndpointEvents = new EndpointEvent(origin, credentials is null ? null : credentials.Scope.Announce).Look,
            Cors = new CorsRule(options.CorsOrigins),
            Tokens = incoming is null ? null : new TokenParts(incoming.Gate, incoming.Challenge, incoming.Document, options.Incoming!.PassAuthorization),
            Credentials = credentials,
            AddedFields = added,
            Target = options.Target,
            Clock = options.Clock,
            Logger = options.Logger,
            Observer = options.Observer,
            HookFaults = faults,
            Metrics = metrics,
            RequestHeadLimits = new HeadLimits(limits.MaxHeadBytes, limits.MaxRequestLineBytes, limits.MaxFields, requestBody),
            ResponseHeadLimits = new HeadLimits(limits.MaxHeadBytes, limits.MaxHeadBytes, limits.MaxFields, responseBody),
        };
    }

    /// <summary>Logs a warning if an added field has the name of the field for exchanged tokens, since it then replaces the token in every request.</summary>
    private static void WarnOfReplacedToken(McpProxyOptions options, ReplacedNames? added)
    {
        if (added is not null && options.Outgoing is TokenExchangePolicy { FieldName: { } field } && added.Has(Encoding.ASCII.GetBytes(field)))
        {
            options.Logger.ExchangedTokenReplaced(field);
        }
    }

    private static Func<Affinity?, CancellationToken, ValueTask<ConnectResult>> ChooseConnect(McpProxyOptions options, NetworkStack network, HookFaults faults)
    {
        if (options.ConnectUpstream is { } connect)
        {
            var host = new HostConnector(connect, options.Limits.ConnectTimeout, options.Clock, faults);
            return (_, cancel) => host.ConnectAsync(cancel);
        }

        RemoteCertificateValidationCallback? checkCertificate = TrustAnchors.Check(options.TrustedCertificates);
        return new Connector(
            options.Target, options.Limits.ConnectTimeout, network, checkCertificate, options.LookUp, options.Clock).ConnectAsync;
    }

    /// <summary>
    /// The names of the added fields and of the field for exchanged tokens; null if there are none. A client's fields with these names are not forwarded.
    /// </summary>
    private static ReplacedNames? ReplacedOf(McpProxyOptions options, AddedFields? added)
    {
        IEnumerable<string> names = added?.Names ?? [];
        string? field = (options.Outgoing as TokenExchangePolicy)?.FieldName;
        return added is null && field is null ? null : new ReplacedNames([.. names, .. field is null ? Array.Empty<string>() : [field]]);
    }

    private static ForwardedRule ForwardedRuleOf(McpProxyOptions options) => options.ForwardedFields switch
    {
        ForwardedFields.Append => ForwardedRule.Append,
        ForwardedFields.Off => ForwardedRule.Off,
        ForwardedFields.Automatic when options.Target.Scheme == Uri.UriSchemeHttps => ForwardedRule.Off,
        _ => ForwardedRule.Set,
    };
}
