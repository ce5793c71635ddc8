using Duende.IdentityModel.Client;
using McpProxyFast.OAuth.Discovery;
using McpProxyFast.OAuth.Grants;
using McpProxyFast.OAuth.Net;
using McpProxyFast.OAuth.Store;
using McpProxyFast.Outcomes;
using Microsoft.Extensions.Logging;

namespace McpProxyFast.OAuth;

/// <summary>Revokes tokens at servers that support that (RFC 7009).</summary>
internal sealed class TokenRevocation(OAuthHttp http, TokenEndpoint tokens, ILogger logger)
{
    public async Task RevokeAsync(IssuedCredential issued, CancellationToken cancellationToken)
    {
        if (issued.Server.RevocationEndpoint is not { } endpoint)
        {
            return;
        }

        if (ServerEndpoint.FaultOf(issued.Server, "revocation_endpoint", endpoint) is { } fault)
        {
            logger.NotRevocable(fault);
            return;
        }

        using var request = new TokenRevocationRequest
        {
            Address = endpoint,
            Token = issued.Tokens.RefreshToken ?? issued.Tokens.AccessToken,
            TokenTypeHint = issued.Tokens.RefreshToken is null ? "access_token" : "refresh_token",
        };
        await tokens.AuthenticateAsync(request, issued.Server, issued.Client, new Redaction(), cancellationToken).ConfigureAwait(false);
        using TokenRevocationResponse answer = await http.Invoker.RevokeTokenAsync(request, cancellationToken).ConfigureAwait(false);
        if (answer.IsError)
        {
            logger.NotRevoked(Printable.Url(endpoint));
        }
    }
}
