using System.Net;
using System.Text.Json;
using Duende.IdentityModel.Client;
using McpProxyFast.OAuth.Net;

namespace McpProxyFast.OAuth.Incoming;

/// <summary>Asks an RFC 7662 endpoint about a token.</summary>
/// <param name="http">The way to the provider.</param>
/// <param name="document">Says how clients may authenticate, where an issuer is known.</param>
/// <param name="endpoint">The introspection endpoint.</param>
/// <param name="clientId">The proxy's client id there, if it has one.</param>
/// <param name="clientSecret">Its secret, if it has one.</param>
internal sealed class IntrospectionEndpoint(OAuthHttp http, IssuerDocument? document, Uri endpoint, string? clientId, string? clientSecret)
{
    private volatile bool _secretInBody;

    /// <returns>The answer's claims (RFC 7662 §2.2).</returns>
    /// <exception cref="IOException">There is no answer.</exception>
    public async Task<JsonElement> AskAsync(string token, CancellationToken cancellationToken)
    {
        TokenIntrospectionResponse response = await SendAsync(token, cancellationToken).ConfigureAwait(false);
        if (response.HttpStatusCode is HttpStatusCode.Unauthorized && await MayTrySecretInBodyAsync(cancellationToken).ConfigureAwait(false))
        {
            _secretInBody = true;
            response = await SendAsync(token, cancellationToken).ConfigureAwait(false);
        }

        return response is { IsError: false, Json: { ValueKind: JsonValueKind.Object } claims }
            ? claims
            : throw new IOException(
                $"{endpoint} gave no answer: {response.Exception?.Message ?? $"{(int)response.HttpStatusCode} {ErrorCode(response.Error)}"}");
    }

    /// <summary>What a server sends in the place of an error code may be anything, the token too.</summary>
    private static string ErrorCode(string? error) =>
        error is { Length: <= 40 } && error.All(character => char.IsAsciiLetter(character) || character is '_' or ' ') ? error : "(no error code)";

    private Task<TokenIntrospectionResponse> SendAsync(string token, CancellationToken cancellationToken) =>
        http.Invoker.IntrospectTokenAsync(
            new TokenIntrospectionRequest
            {
                Address = endpoint.AbsoluteUri,
                Token = token,
                TokenTypeHint = "access_token",
                ClientId = clientId ?? "",
                ClientSecret = clientSecret,
                ClientCredentialStyle = _secretInBody || clientSecret is null ? ClientCredentialStyle.PostBody : ClientCredentialStyle.AuthorizationHeader,
            },
            cancellationToken);

    /// <summary>Basic is what every server must take (RFC 6749 §2.3.1); one that refused it may say that it wants the secret in the body.</summary>
    private async Task<bool> MayTrySecretInBodyAsync(CancellationToken cancellationToken)
    {
        if (_secretInBody || clientSecret is null)
        {
            return false;
        }

        if (document is null)
        {
            return true;
        }

        JsonElement published = await document.FetchAsync(cancellationToken).ConfigureAwait(false);
        return !published.TryGetProperty("introspection_endpoint_auth_methods_supported", out JsonElement methods)
            || methods.ValueKind is not JsonValueKind.Array
            || methods.EnumerateArray().Any(method => method.ValueEquals("client_secret_post"));
    }
}
