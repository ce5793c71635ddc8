using System.Security.Cryptography.X509Certificates;
using System.Text.Json;
using McpProxyFast.Admission;
using McpProxyFast.OAuth.Incoming;
using McpProxyFast.OAuth.Net;
using McpProxyFast.Outcomes;
using Microsoft.Extensions.Logging;

namespace McpProxyFast;

/// <summary>Everything that a <see cref="TokenPolicy"/> asks for, wired: the gate of Admission to the network side of OAuth.</summary>
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

    /// <summary>Wires a policy. Nothing is fetched before <see cref="TokenGate.Start"/>.</summary>
    /// <param name="policy">Whose tokens.</param>
    /// <param name="trustAnchors">Certificates that are trusted beside the system's, for the identity provider.</param>
    /// <param name="clock">Expiry goes by it.</param>
    /// <param name="logger">Told why tokens were refused and what the provider did.</param>
    /// <exception cref="ArgumentException">The policy's parts do not fit together.</exception>
    public static IncomingTokens Open(TokenPolicy policy, X509Certificate2Collection? trustAnchors, TimeProvider clock, ILogger logger)
    {
        policy.Validate();
        if (policy.Audiences.Count == 0 && policy.AllowedClients.Count == 0 && policy.Validator is null)
        {
            logger.LogWarning("No audience is set: every token of the issuer is accepted, also one that was made for another service.");
        }

        return new IncomingTokens(policy, trustAnchors, clock, logger);
    }

    public async ValueTask DisposeAsync()
    {
        await Gate.DisposeAsync().ConfigureAwait(false);
        _http?.Dispose();
    }

    /// <summary>What the operator named is trusted; what the issuer's document names is not, and is dialled only where it is public.</summary>
    private static OAuthHttp? MakeHttp(TokenPolicy policy, X509Certificate2Collection? trustAnchors, TimeProvider clock)
    {
        Uri? issuer = policy.Issuer is null ? null : new Uri(policy.Issuer);
        Uri[] named = [.. new[] { issuer, policy.JwksUri, policy.IntrospectionUri }.OfType<Uri>()];
        return named.Length == 0 ? null : new OAuthHttp(named[0], named[1..], trustAnchors, clock);
    }

    private TokenGate MakeGate(TokenPolicy policy, TimeProvider clock, ILogger logger)
    {
        if (policy.Validator is not null || _http is null)
        {
            return new TokenGate(new HostValidator(policy.Validator!, new HookFaults(logger, clock)), keys: null, clock, logger);
        }

        var provider = new ProviderHttp(_http);
        IssuerDocument? document = policy.Issuer is null ? null : new IssuerDocument(_http, policy.Issuer, logger);
        IntrospectionValidator? opaque = policy.IntrospectionUri is null ? null : new IntrospectionValidator(Asker(policy, provider, document), policy, clock);
        if (policy.JwksUri is null && document is null)
        {
            return new TokenGate(opaque!, keys: null, clock, logger);
        }

        var keys = new IssuerKeyCache(new JwksSource(provider, document, policy.JwksUri).FetchAsync, clock, logger);
        var jwt = new JwtValidator(policy, keys, clock);
        return new TokenGate(opaque is null ? jwt : new TokenFormValidator(jwt, opaque), keys, clock, logger);
    }

    private static Func<string, CancellationToken, Task<JsonElement>> Asker(TokenPolicy policy, ProviderHttp provider, IssuerDocument? document)
    {
        Uri endpoint = policy.IntrospectionUri!;
        return TokenPolicy.IsGoogle(endpoint) ? new GoogleTokenInfo(provider, endpoint).AskAsync
            : TokenPolicy.IsGitHub(endpoint) ? new GitHubTokenCheck(provider, endpoint, policy.ClientId!, policy.ClientSecret!).AskAsync
            : new IntrospectionEndpoint(provider, document, endpoint, policy.ClientId, policy.ClientSecret).AskAsync;
    }
}
