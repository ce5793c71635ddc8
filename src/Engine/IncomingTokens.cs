using System.Diagnostics;
using System.Security.Cryptography.X509Certificates;
using System.Text.Json;
using McpProxyFast.Admission;
using McpProxyFast.OAuth.Incoming;
using McpProxyFast.OAuth.Net;
using McpProxyFast.Outcomes;
using Microsoft.Extensions.Logging;

namespace McpProxyFast;

/// <summary>
/// Creates the objects that check incoming tokens as a <see cref="TokenPolicy"/> says, and the HTTP client with which they ask the identity provider.
/// </summary>
internal sealed class IncomingTokens : IAsyncDisposable
{
    private readonly OAuthHttp? _http;

    private IncomingTokens(TokenPolicy policy, X509Certificate2Collection? trustAnchors, TimeProvider clock, ILogger logger)
    {
        _http = MakeHttp(policy, trustAnchors, clock);
        Challenge = new BearerChallenge(policy);
        Document = new ProtectedResourceDocument(policy);
        Gate = MakeGate(policy, clock, logger);
    }

    public TokenGate Gate { get; }

    public BearerChallenge Challenge { get; }

    public ProtectedResourceDocument Document { get; }

    /// <summary>Creates the objects for a policy. Nothing is fetched from the identity provider before <see cref="TokenGate.Start"/>.</summary>
    /// <param name="policy">Which tokens are accepted.</param>
    /// <param name="trustAnchors">Certificates that are trusted for the identity provider, besides the system's.</param>
    /// <param name="clock">The clock for expiry.</param>
    /// <param name="logger">Logs why tokens were refused, and failures of the identity provider.</param>
    /// <exception cref="ArgumentException">The policy's settings do not fit together.</exception>
    public static IncomingTokens Open(TokenPolicy policy, X509Certificate2Collection? trustAnchors, TimeProvider clock, ILogger logger)
    {
        policy.Validate();
        if (policy is ClaimsPolicy { Audiences.Count: 0, AllowedClients.Count: 0 })
        {
            logger.NoAudience();
        }

        return new IncomingTokens(policy, trustAnchors, clock, logger);
    }

    public async ValueTask DisposeAsync()
    {
        await Gate.DisposeAsync().ConfigureAwait(false);
        _http?.Dispose();
    }

    /// <summary>
    /// Creates the HTTP client. It connects to any address for a URL that the operator has configured. A URL from the issuer's metadata is not trusted: for it,
    /// the client connects only to public addresses.
    /// </summary>
    private static OAuthHttp? MakeHttp(TokenPolicy policy, X509Certificate2Collection? trustAnchors, TimeProvider clock)
    {
        Uri?[] urls = policy switch
        {
            JwtPolicy jwt => [UrlRule.Parse(jwt.Issuer), jwt.JwksUri, jwt.OpaqueTokens?.Endpoint],
            IntrospectionPolicy opaque => [opaque.OpaqueTokens.Endpoint],
            _ => [],
        };
        Uri[] named = [.. urls.OfType<Uri>()];
        return named.Length == 0 ? null : new OAuthHttp(named[0], named[1..], trustAnchors, clock);
    }

    private TokenGate MakeGate(TokenPolicy policy, TimeProvider clock, ILogger logger) => policy switch
    {
        JwtPolicy jwt => MakeGate(jwt, clock, logger),
        IntrospectionPolicy opaque => new TokenGate(
            new IntrospectionValidator(Asker(opaque.OpaqueTokens, document: null), opaque, clock).Lane, opaque: null, keys: null, clock, logger),
        TokenPolicy.HostPolicy host => new TokenGate(new HostValidator(host.Validator, new HookFaults(logger, clock)), keys: null, clock, logger),
        _ => throw new UnreachableException(),
    };

    private TokenGate MakeGate(JwtPolicy policy, TimeProvider clock, ILogger logger)
    {
        IssuerDocument? document = policy.Issuer is null ? null : new IssuerDocument(_http!, policy.Issuer, logger);
        var keys = new IssuerKeyCache(new JwksSource(new ProviderHttp(_http!), document, policy.JwksUri).FetchAsync, clock, logger);
        TokenLane? others = policy.ForOpaqueTokens is { } opaque
            ? new IntrospectionValidator(Asker(opaque.OpaqueTokens, document), opaque, clock).Lane
            : null;
        return new TokenGate(TokenGate.LaneOf(new JwtValidator(policy, keys, clock)), others, keys, clock, logger);
    }

    private Func<string, CancellationToken, Task<JsonElement>> Asker(TokenIntrospection introspection, IssuerDocument? document) => introspection switch
    {
        TokenIntrospection.GoogleTokenInfo google => new GoogleTokenInfo(new ProviderHttp(_http!), google.Endpoint).AskAsync,
        TokenIntrospection.GitHubTokenCheck github =>
            new GitHubTokenCheck(new ProviderHttp(_http!), github.Endpoint, github.ClientId, github.ClientSecret).AskAsync,
        TokenIntrospection.Standard standard =>
            new IntrospectionEndpoint(new ProviderHttp(_http!), document, standard.Endpoint, standard.ClientId, standard.ClientSecret).AskAsync,
        _ => throw new UnreachableException(),
    };
}
