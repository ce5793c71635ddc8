using System.Diagnostics;
using System.Diagnostics.Metrics;
using System.Security.Cryptography.X509Certificates;
using McpProxyFast.OAuth;
using McpProxyFast.OAuth.Exchange;
using McpProxyFast.OAuth.Store;
using McpProxyFast.Outcomes;
using Microsoft.Extensions.Logging;

namespace McpProxyFast.Credentials;

/// <summary>A source of credentials for requests to the upstream. It returns a ready-made credential line at once, or lets the request wait for one.</summary>
internal abstract class UpstreamCredentials(CredentialScope scope) : IAsyncDisposable
{
    /// <summary>Decides which requests get the credential.</summary>
    public CredentialScope Scope => scope;

    /// <summary>The credential line to send now; null if none is ready.</summary>
    /// <remarks>On the request path: one volatile read and a look at the clock; nothing is allocated.</remarks>
    public abstract CredentialLine? Current { get; }

    /// <summary>Whether each caller has its own credential, made from the caller's token. Then a request without a caller's token gets no credential.</summary>
    public virtual bool IsPerCaller => false;

    /// <summary>
    /// Whether each request needs its own credential line, from <see cref="ObtainAsync"/>, because the line contains a DPoP proof (RFC 9449).
    /// </summary>
    public virtual bool ProvesEachRequest => false;

    /// <summary>Whether requests may be sent without a credential: the upstream has not asked for one, and none is being obtained.</summary>
    /// <remarks>On the request path, if there is no credential line: a few volatile reads; nothing is allocated.</remarks>
    public virtual bool IsUnasked => false;

    /// <summary>Returns the credential line to send now for a caller; null if none is ready.</summary>
    /// <remarks>On the request path, with the same cost as <see cref="Current"/>.</remarks>
    /// <param name="caller">The caller's token; empty if there is none, or the credential does not depend on it.</param>
    /// <param name="memo">The last exchanged token that was found for the client connection. It is updated.</param>
    public virtual CredentialLine? CurrentFor(ReadOnlySpan<byte> caller, ref ExchangeMemo memo) => Current;

    /// <param name="policy">The policy that says which credential is sent.</param>
    /// <param name="target">The upstream.</param>
    /// <param name="clock">Measures lifetimes.</param>
    /// <param name="logger">Logs what a person must know; never a secret.</param>
    /// <param name="trustAnchors">Certificates that are trusted besides the system's.</param>
    /// <param name="observer">Called when a person has to sign in; null if that is only logged.</param>
    /// <param name="meter">The meter of the proxy; null to create one.</param>
    /// <exception cref="ArgumentException">The policy cannot work.</exception>
    public static UpstreamCredentials For(
        OutgoingPolicy policy,
        Uri target,
        TimeProvider clock,
        ILogger logger,
        X509Certificate2Collection? trustAnchors = null,
        IProxyObserver? observer = null,
        Meter? meter = null)
    {
        policy.Validate();
        bool isForOrigin = policy is not OAuthPolicy { Server.IsGiven: false };
        var scope = new CredentialScope(target, isForOrigin);
        return policy switch
        {
            OutgoingPolicy.FixedToken bearer => new StaticBearer(bearer.Token, scope),
            OutgoingPolicy.TokenFile file => new FileBearer(file.Path, scope, clock, logger),
            OutgoingPolicy.HostSource host => new HostCredentials(host.Source, scope, clock, new HookFaults(logger, clock)),
            OAuthPolicy oauth => SignIn(oauth),
            TokenExchangePolicy exchange => Exchange(exchange),
            _ => throw new UnreachableException(),
        };

        ExchangedCredentials Exchange(TokenExchangePolicy exchange)
        {
            UpstreamCredentials? login = exchange.Login is { } own ? For(own, target, clock, logger, trustAnchors, observer) : null;
            UpstreamCredentials? actor = exchange.Actor is { } acting ? acting.IsLogin ? login : For(acting.Source, target, clock, logger) : null;
            var exchanger = new TokenExchanger(exchange, trustAnchors, clock);
            var cache = new ExchangeCache(exchange, exchanger, clock, logger, new ExchangeMetrics(meter ?? new Meter(ProxyMetrics.MeterName)));
            return new ExchangedCredentials(exchange, login?.Scope ?? scope, login, actor, cache, clock);
        }

        OAuthCredentials SignIn(OAuthPolicy oauth)
        {
            var client = new AuthorizationClient(oauth, target, CredentialStore.For(oauth, logger), clock, logger, trustAnchors, observer);
            return new OAuthCredentials(oauth, target, scope, client, clock, logger);
        }
    }

    /// <summary>Waits for the credential line of a request, for a limited time.</summary>
    public abstract ValueTask<CredentialResult> ObtainAsync(UpstreamRequest request, CancellationToken cancellationToken);

    /// <summary>Decides what to do after a 401 or 403: send the request again with another credential, pass the answer on, or answer with an error.</summary>
    public abstract ValueTask<CredentialResult> RecoverAsync(UpstreamChallenge challenge, CancellationToken cancellationToken);

    /// <summary>Prepares the source at the start: for example, reads the stored credential and, if there is none, signs in.</summary>
    /// <remarks>Called after the listener is bound, so that nobody signs in for a proxy that cannot start.</remarks>
    /// <exception cref="InvalidOperationException">No credential can be obtained. The message says what to do.</exception>
    public abstract Task StartAsync(CancellationToken cancellationToken);

    public abstract ValueTask DisposeAsync();
}
