using System.Text.Json;
using McpProxyFast.Admission;
using McpProxyFast.OAuth;
using Microsoft.Extensions.Logging;

namespace McpProxyFast;

/// <summary>Wires what a <see cref="TokenPolicy"/> asks for: the gate of Admission to the network side of OAuth.</summary>
internal static class IncomingTokens
{
    /// <summary>Makes the gate for a valid policy. Nothing is fetched before <see cref="TokenGate.Start"/>.</summary>
    /// <param name="policy">Whose tokens.</param>
    /// <param name="http">The way to the identity provider; bounded in time and size.</param>
    /// <param name="clock">Expiry goes by it.</param>
    /// <param name="logger">Told why tokens were refused and what the provider did.</param>
    public static TokenGate Open(TokenPolicy policy, HttpMessageInvoker http, TimeProvider clock, ILogger logger)
    {
        if (policy.Validator is not null)
        {
            return new TokenGate(policy.Validator, keys: null, clock, logger);
        }

        var provider = new ProviderHttp(http);
        IssuerDocument? document = policy.Issuer is null ? null : new IssuerDocument(provider, policy.Issuer);
        ITokenValidator? opaque = policy.IntrospectionUri is null ? null : new IntrospectionValidator(Asker(policy, http, provider, document), policy, clock);
        if (policy.JwksUri is null && document is null)
        {
            return new TokenGate(opaque!, keys: null, clock, logger);
        }

        var keys = new SigningKeys(new IssuerKeys(provider, document, policy.JwksUri).FetchAsync, clock, logger);
        var jwt = new JwtValidator(policy, keys, clock);
        return new TokenGate(opaque is null ? jwt : new TokenFormValidator(jwt, opaque), keys, clock, logger);
    }

    private static Func<string, CancellationToken, Task<JsonElement>> Asker(TokenPolicy policy, HttpMessageInvoker http, ProviderHttp provider, IssuerDocument? document)
    {
        Uri endpoint = policy.IntrospectionUri!;
        return TokenPolicy.IsGoogle(endpoint) ? new GoogleTokenInfo(provider, endpoint).AskAsync
            : TokenPolicy.IsGitHub(endpoint) ? new GitHubTokenCheck(provider, endpoint, policy.ClientId!, policy.ClientSecret!).AskAsync
            : new IntrospectionEndpoint(http, document, endpoint, policy.ClientId, policy.ClientSecret).AskAsync;
    }
}
