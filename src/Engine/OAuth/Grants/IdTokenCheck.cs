using McpProxyFast.OAuth.Discovery;
using McpProxyFast.OAuth.Net;
using Microsoft.IdentityModel.JsonWebTokens;
using Microsoft.IdentityModel.Tokens;

namespace McpProxyFast.OAuth.Grants;

/// <summary>Checks the ID token of a sign-in that asked for <c>openid</c> (OpenID Connect Core 1.0 §3.1.3.7).</summary>
/// <remarks>
/// The access token is safe without this check: <c>state</c>, PKCE and <c>iss</c> bind the authorization code to the sign-in. So if the ID token is wrong or
/// missing, the sign-in still succeeds, but there is no ID token to exchange.
/// </remarks>
internal sealed class IdTokenCheck(OAuthHttp http, TimeProvider clock)
{
    private static readonly TimeSpan Skew = TimeSpan.FromMinutes(1);

    /// <returns>
    /// Why the ID token must not be used: it is missing, forged, expired, or made for another sign-in, or it cannot be checked; null if it is valid.
    /// </returns>
    public async Task<string?> FindFaultAsync(string? idToken, ServerMetadata server, string clientId, string nonce, CancellationToken cancellationToken)
    {
        if (idToken is null || UrlRule.Parse(server.JwksUri) is not { } place)
        {
            return idToken is null ? "none was sent"
                : ServerEndpoint.FaultOf(server, "jwks_uri", server.JwksUri)?.TrimEnd('.') ?? "the server publishes no keys";
        }

        try
        {
            using var request = new HttpRequestMessage(HttpMethod.Get, place);
            using HttpResponseMessage response = await http.Invoker.SendAsync(request, cancellationToken).ConfigureAwait(false);
            string keys = await response.Content.ReadAsStringAsync(cancellationToken).ConfigureAwait(false);
            return await FindFaultAsync(idToken, keys, server, clientId, nonce).ConfigureAwait(false);
        }
        catch (OAuthException failure)
        {
            return $"the server's keys cannot be read: {failure.Message}";
        }
    }

    private async Task<string?> FindFaultAsync(string idToken, string keys, ServerMetadata server, string clientId, string nonce)
    {
        var rules = new TokenValidationParameters
        {
            ValidIssuer = server.Issuer,
            ValidAudience = clientId,
            IssuerSigningKeys = ReadKeys(keys),
            LifetimeValidator = (_, expires, _, _) => expires is { } end && end + Skew > clock.GetUtcNow().UtcDateTime,
        };
        TokenValidationResult result = await new JsonWebTokenHandler().ValidateTokenAsync(idToken, rules).ConfigureAwait(false);

        // The library's message may quote the token, so only the type of the exception is reported.
        return !result.IsValid ? result.Exception.GetType().Name
            : result.Claims.TryGetValue("nonce", out object? found) && found as string == nonce ? null
            : "its nonce is not the one of this sign-in";
    }

    private static IList<SecurityKey> ReadKeys(string keys)
    {
        try
        {
            return new JsonWebKeySet(keys).GetSigningKeys();
        }
        catch (ArgumentException)
        {
            // The library throws this exception if the JSON is not a key set.
            return [];
        }
    }
}
