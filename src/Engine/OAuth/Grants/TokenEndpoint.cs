using Duende.IdentityModel;
using Duende.IdentityModel.Client;
using McpProxyFast.OAuth.Discovery;
using McpProxyFast.OAuth.Net;
using McpProxyFast.OAuth.Store;

namespace McpProxyFast.OAuth.Grants;

/// <summary>Requests tokens from token endpoints, and checks their answers.</summary>
/// <param name="http">Sends the requests.</param>
/// <param name="clientKey">Signs the client's assertions; null if the client authenticates with a secret, or not at all.</param>
/// <param name="clock">The clock from which the expiry of each token is computed.</param>
/// <param name="dialect">How the servers' answers differ from RFC 6749; null if they do not.</param>
internal sealed class TokenEndpoint(OAuthHttp http, ClientKey? clientKey, TimeProvider clock, TokenDialect? dialect = null)
{
    private const string AssertionType = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";

    private static readonly string[] Public = ["resource", "scope", "redirect_uri", "audience", "requested_token_type", "subject_token_type"];

    /// <summary>The grants whose requests use up a code or token. If such an answer is lost, the sign-in is lost, so these requests get more time.</summary>
    private static readonly string[] OfOneUse =
        [OidcConstants.GrantTypes.RefreshToken, OidcConstants.GrantTypes.AuthorizationCode, OidcConstants.GrantTypes.DeviceCode];

    // The last DPoP nonce that the endpoint has sent; null before the first. Only the newest one is used (RFC 9449 §8).
    private string? _nonce;

    /// <summary>Called before a person is asked to sign in. Checks that the tokens can be requested afterwards.</summary>
    /// <exception cref="OAuthException">The tokens cannot be requested: the endpoint must not be used, or the client's key cannot sign.</exception>
    public async Task CheckAsync(ServerMetadata server, CancellationToken cancellationToken)
    {
        Uri endpoint = UrlRule.Parse(server.TokenEndpoint) ?? throw OAuthException.Refused(
            "insecure-url", server.TokenEndpoint is { } given
                ? $"The token endpoint of {server.Issuer} is not an https URL: {Printable.Of(given)}."
                : $"The metadata of {server.Issuer} names no token_endpoint, so no token can be requested.");
        await http.CheckAsync(endpoint, cancellationToken).ConfigureAwait(false);
        if (clientKey is not null)
        {
            await clientKey.AssertAsync("check", server.Issuer ?? server.TokenEndpoint!, cancellationToken).ConfigureAwait(false);
        }
    }

    /// <param name="server">The authorization server.</param>
    /// <param name="client">The client that requests the tokens.</param>
    /// <param name="grantType">The grant type.</param>
    /// <param name="parameters">The other form parameters.</param>
    /// <param name="dpopKey">The key that the tokens are to be bound to; null if none.</param>
    /// <param name="cancellationToken">Ends the request.</param>
    /// <exception cref="OAuthException">No tokens were issued. <see cref="OAuthException.Failure"/> says what can help.</exception>
    public async Task<TokenSet> AskAsync(
        ServerMetadata server, ClientIdentity? client, string grantType, Parameters parameters, DPoPKey? dpopKey, CancellationToken cancellationToken)
    {
        var redaction = new Redaction();
        TokenDialect spoken = grantType == OidcConstants.GrantTypes.TokenExchange ? TokenDialect.Exchange : dialect ?? TokenDialect.Plain;
        using TokenResponse first = await SendAsync(server, client, grantType, parameters, dpopKey, redaction, cancellationToken).ConfigureAwait(false);
        if (dpopKey is null || TokenAnswer.ErrorOf(first) != "use_dpop_nonce" || first.DPoPNonce is null)
        {
            return TokenAnswer.Read(first, server, dpopKey is not null, redaction, clock, spoken);
        }

        using TokenResponse second = await SendAsync(server, client, grantType, parameters, dpopKey, redaction, cancellationToken).ConfigureAwait(false);
        return TokenAnswer.Read(second, server, bound: true, redaction, clock, spoken);
    }

    /// <summary>Adds the client's authentication to a request (RFC 6749 §2.3, RFC 7523 §2.2).</summary>
    /// <param name="request">The request.</param>
    /// <param name="server">The server that it goes to.</param>
    /// <param name="client">The client.</param>
    /// <param name="redaction">The secrets that are added to the request are added to this, so that messages do not show them.</param>
    /// <param name="cancellationToken">Ends the wait for the key's file.</param>
    public async Task AuthenticateAsync(
        ProtocolRequest request, ServerMetadata server, ClientIdentity client, Redaction redaction, CancellationToken cancellationToken)
    {
        request.ClientId = client.Id;
        request.ClientCredentialStyle = client.Method == ClientMethod.Basic ? ClientCredentialStyle.AuthorizationHeader : ClientCredentialStyle.PostBody;
        request.ClientSecret = client.Method is ClientMethod.Basic or ClientMethod.Post ? client.Secret : null;
        redaction.Add(client.Secret, client.Secret is null ? null : new BasicAuthenticationOAuthHeaderValue(client.Id, client.Secret).Parameter);
        if (client.Method == ClientMethod.PrivateKeyJwt && clientKey is not null)
        {
            string audience = server.Issuer ?? server.TokenEndpoint!;
            string assertion = await clientKey.AssertAsync(client.Id, audience, cancellationToken).ConfigureAwait(false);
            redaction.Add(assertion);
            request.ClientAssertion = new ClientAssertion { Type = AssertionType, Value = assertion };
        }
    }

    private async Task<TokenResponse> SendAsync(
        ServerMetadata server,
        ClientIdentity? client,
        string grantType,
        Parameters parameters,
        DPoPKey? dpopKey,
        Redaction redaction,
        CancellationToken cancellationToken)
    {
        using var request = new TokenRequest { Address = server.TokenEndpoint, GrantType = grantType, Parameters = new Parameters(parameters) };
        if (client is not null)
        {
            await AuthenticateAsync(request, server, client, redaction, cancellationToken).ConfigureAwait(false);
        }

        redaction.AddQueryOf(server.TokenEndpoint!);
        request.DPoPProofToken = dpopKey?.Prove("POST", new Uri(server.TokenEndpoint!), Volatile.Read(ref _nonce), accessToken: null);
        redaction.Add([request.DPoPProofToken, .. parameters.Where(parameter => !Public.Contains(parameter.Key)).Select(parameter => parameter.Value)]);
        HttpMessageInvoker invoker = OfOneUse.Contains(grantType) ? http.PatientInvoker : http.Invoker;
        TokenResponse response = await invoker.RequestTokenAsync(request, cancellationToken).ConfigureAwait(false);
        if (response.DPoPNonce is { } nonce)
        {
            Volatile.Write(ref _nonce, nonce);
        }

        return response;
    }
}
