using McpProxyFast.OAuth.Discovery;
using McpProxyFast.OAuth.Net;
using Microsoft.IdentityModel.JsonWebTokens;
using Microsoft.IdentityModel.Tokens;

namespace McpProxyFast.OAuth.Grants;

/// <summary>Checks the ID token of a sign-in that asked for <c>openid</c> (OpenID Connect Core 1.0 §3.1.3.7).</summary>
internal sealed class IdTokenCheck(OAuthHttp http, TimeProvider clock)
{
    private static readonly TimeSpan Skew = TimeSpan.FromMinutes(1);

    /// <exception cref="OAuthException">The token is missing, forged, or made for another sign-in.</exception>
    public async Task CheckAsync(string? idToken, ServerMetadata server, string clientId, string nonce, CancellationToken cancellationToken)
    {
        if (idToken is null || server.JwksUri is null)
        {
            throw Invalid(server, idToken is null ? "none was sent" : "the server publishes no keys");
        }

        using var request = new HttpRequestMessage(HttpMethod.Get, server.JwksUri);
        using HttpResponseMessage response = await http.Invoker.SendAsync(request, cancellationToken).ConfigureAwait(false);
        string keys = await response.Content.ReadAsStringAsync(cancellationToken).ConfigureAwait(false);
        var rules = new TokenValidationParameters
        {
            ValidIssuer = server.Issuer,
            ValidAudience = clientId,
            IssuerSigningKeys = ReadKeys(keys, server),
            LifetimeValidator = (_, expires, _, _) => expires is { } end && end + Skew > clock.GetUtcNow().UtcDateTime,
        };
        TokenValidationResult result = await new JsonWebTokenHandler().ValidateTokenAsync(idToken, rules).ConfigureAwait(false);
        if (!result.IsValid)
        {
            // The library's message may quote the token, so only the kind of failure is told.
            throw Invalid(server, result.Exception.GetType().Name);
        }

        if (!result.Claims.TryGetValue("nonce", out object? found) || found as string != nonce)
        {
            throw Invalid(server, "its nonce is not the one of this sign-in");
        }
    }

    private static IList<SecurityKey> ReadKeys(string keys, ServerMetadata server)
    {
        try
        {
            return new JsonWebKeySet(keys).GetSigningKeys();
        }
        catch (ArgumentException)
        {
            // The library reports JSON that is no key set this way.
            throw Invalid(server, $"{server.JwksUri} holds no keys");
        }
    }

    private static OAuthException Invalid(ServerMetadata server, string why) =>
        OAuthException.Refused("id-token-invalid", $"The ID token of {server.Issuer} cannot be trusted: {why}.");
}
