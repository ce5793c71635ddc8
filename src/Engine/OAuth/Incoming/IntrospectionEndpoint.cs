using System.Net;
using System.Text.Json;
using Duende.IdentityModel.Client;

namespace McpProxyFast.OAuth.Incoming;

/// <summary>Asks an RFC 7662 endpoint about a token. This class only checks that the answer is a JSON object; the caller checks the claims in it.</summary>
/// <param name="http">Sends the requests.</param>
/// <param name="document">The issuer's metadata, which may say how clients authenticate; null if no issuer is known.</param>
/// <param name="endpoint">The introspection endpoint.</param>
/// <param name="clientId">The proxy's client id at the endpoint; null if it has none.</param>
/// <param name="clientSecret">The client's secret; null if it has none.</param>
internal sealed class IntrospectionEndpoint(ProviderHttp http, IssuerDocument? document, Uri endpoint, string? clientId, string? clientSecret)
{
    /// <summary>Whether the secret is sent in the request's body. Set when the server has refused HTTP Basic authentication; never reset.</summary>
    private volatile bool _secretInBody;

    /// <returns>The claims of the token (RFC 7662 §2.2).</returns>
    /// <exception cref="IOException">The endpoint does not answer, or its answer cannot be used.</exception>
    public async Task<JsonElement> AskAsync(string token, CancellationToken cancellationToken)
    {
        (HttpStatusCode status, byte[] body) = await SendAsync(token, cancellationToken).ConfigureAwait(false);
        if (status is HttpStatusCode.Unauthorized && await MayTrySecretInBodyAsync(cancellationToken).ConfigureAwait(false))
        {
            _secretInBody = true;
            (status, body) = await SendAsync(token, cancellationToken).ConfigureAwait(false);
        }

        return status is HttpStatusCode.OK
            ? ProviderHttp.ParseObject(body, endpoint)
            : throw new IOException($"{ProviderHttp.Place(endpoint)} answered {(int)status}");
    }

    private async Task<(HttpStatusCode Status, byte[] Body)> SendAsync(string token, CancellationToken cancellationToken)
    {
        List<KeyValuePair<string, string>> form = [new("token", token), new("token_type_hint", "access_token")];
        using var request = new HttpRequestMessage(HttpMethod.Post, endpoint);
        request.Headers.Add("Accept", "application/json");
        if (clientSecret is not null && !_secretInBody)
        {
            // RFC 6749 §2.3.1: id and secret are form-encoded before they are joined with a colon.
            request.Headers.Authorization = new BasicAuthenticationOAuthHeaderValue(clientId!, clientSecret);
        }
        else if (clientId is not null)
        {
            form.Add(new("client_id", clientId));
            form.AddRange(clientSecret is null ? [] : [new KeyValuePair<string, string>("client_secret", clientSecret)]);
        }

        request.Content = new FormUrlEncodedContent(form);
        return await http.SendAsync(request, cancellationToken).ConfigureAwait(false);
    }

    /// <summary>
    /// Whether to send the secret in the body after the server has refused HTTP Basic, which every server must support (RFC 6749 §2.3.1). False if the issuer's
    /// metadata lists the supported methods without <c>client_secret_post</c>.
    /// </summary>
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
            || methods.EnumerateArray().Any(method => method.ValueKind is JsonValueKind.String && method.ValueEquals("client_secret_post"));
    }
}
