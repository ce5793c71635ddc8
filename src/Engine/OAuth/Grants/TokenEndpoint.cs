using Duende.IdentityModel;
using Duende.IdentityModel.Client;
using McpProxyFast.OAuth.Discovery;
using McpProxyFast.OAuth.Net;
using McpProxyFast.OAuth.Store;

namespace McpProxyFast.OAuth.Grants;

/// <summary>Asks token endpoints for tokens and judges what they say.</summary>
/// <param name="http">Sends the requests.</param>
/// <param name="clientKey">Signs what shows who the client is; null if that is a secret, or nothing.</param>
/// <param name="clock">The clock for the end of each token.</param>
/// <param name="dialect">How the servers write their answers; null for OAuth's own way.</param>
internal sealed class TokenEndpoint(OAuthHttp http, ClientKey? clientKey, TimeProvider clock, TokenDialect? dialect = null)
{
    private const string AssertionType = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";

    private static readonly string[] Public = ["resource", "scope", "redirect_uri", "audience", "requested_token_type", "subject_token_type"];

    /// <summary>The grants with something that works once. If the answer is lost, a sign-in is lost.</summary>
    private static readonly string[] OfOneUse =
        [OidcConstants.GrantTypes.RefreshToken, OidcConstants.GrantTypes.AuthorizationCode, OidcConstants.GrantTypes.DeviceCode];

    // One nonce per endpoint is all that a server may ask for at a time (RFC 9449 §8).
    private string? _nonce;

    /// <summary>Says before a person signs in whether the token could be asked for afterwards.</summary>
    /// <exception cref="OAuthException">It could not: the endpoint must not be used, or the client's key cannot sign.</exception>
    public async Task CheckAsync(ServerMetadata server, CancellationToken cancellationToken)
    {
        Uri endpoint = UrlRule.Parse(server.TokenEndpoint) ?? throw OAuthException.Refused(
            "insecure-url", $"The token endpoint {Printable.Of(server.TokenEndpoint ?? "(none)")} is not an https URL.");
        await http.CheckAsync(endpoint, cancellationToken).ConfigureAwait(false);
        if (clientKey is not null)
        {
            await clientKey.AssertAsync("check", server.Issuer ?? server.TokenEndpoint!, cancellationToken).ConfigureAwait(false);
        }
    }

    /// <param name="server">The authorization server.</param>
    /// <param name="client">Who asks.</param>
    /// <param name="grantType">The grant type.</param>
    /// <param name="parameters">What goes with it.</param>
    /// <param name="dpopKey">The key to which the tokens are to be bound, if any.</param>
    /// <param name="cancellationToken">Ends the request.</param>
    /// <exception cref="OAuthException">There are no tokens; <see cref="OAuthException.Failure"/> says what can be done.</exception>
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

    /// <summary>Puts on a request what shows who the client is (RFC 6749 §2.3, RFC 7523 §2.2).</summary>
    /// <param name="request">The request.</param>
    /// <param name="server">The server that it goes to.</param>
    /// <param name="client">The client.</param>
    /// <param name="redaction">Takes what was put on.</param>
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
