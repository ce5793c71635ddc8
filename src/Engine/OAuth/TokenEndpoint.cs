using Duende.IdentityModel.Client;

namespace McpProxyFast.OAuth;

/// <summary>Asks token endpoints for tokens and judges what they say.</summary>
internal sealed class TokenEndpoint(OAuthHttp http, SigningKey? clientKey, TimeProvider clock)
{
    private const string AssertionType = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";

    // One nonce per endpoint is all that a server may ask for at a time (RFC 9449 §8).
    private string? _nonce;

    /// <param name="server">The authorization server.</param>
    /// <param name="client">Who asks.</param>
    /// <param name="grantType">The grant type.</param>
    /// <param name="parameters">What goes with it.</param>
    /// <param name="proofKey">The key to which the tokens are to be bound, if any.</param>
    /// <param name="cancellationToken">Ends the request.</param>
    /// <exception cref="OAuthException">There are no tokens; <see cref="OAuthException.Failure"/> says what can be done.</exception>
    public async Task<TokenSet> AskAsync(
        ServerMetadata server, ClientIdentity? client, string grantType, Parameters parameters, ProofKey? proofKey, CancellationToken cancellationToken)
    {
        try
        {
            using TokenResponse first = await SendAsync(server, client, grantType, parameters, proofKey, cancellationToken).ConfigureAwait(false);
            if (proofKey is null || first.TryGet("error") != "use_dpop_nonce" || first.DPoPNonce is null)
            {
                return TokenAnswer.Read(first, server, proofKey is not null, clock);
            }

            using TokenResponse second = await SendAsync(server, client, grantType, parameters, proofKey, cancellationToken).ConfigureAwait(false);
            return TokenAnswer.Read(second, server, bound: true, clock);
        }
        catch (OAuthException failure)
        {
            throw Redact(failure, parameters, client);
        }
    }

    /// <summary>Puts on a request what shows who the client is (RFC 6749 §2.3, RFC 7523 §2.2).</summary>
    public async Task AuthenticateAsync(ProtocolRequest request, ServerMetadata server, ClientIdentity client, CancellationToken cancellationToken)
    {
        request.ClientId = client.Id;
        request.ClientCredentialStyle = client.Method == ClientMethod.Basic ? ClientCredentialStyle.AuthorizationHeader : ClientCredentialStyle.PostBody;
        request.ClientSecret = client.Method is ClientMethod.Basic or ClientMethod.Post ? client.Secret : null;
        if (client.Method == ClientMethod.PrivateKeyJwt && clientKey is not null)
        {
            string audience = server.Issuer ?? server.TokenEndpoint!;
            string assertion = await clientKey.AssertAsync(client.Id, audience, cancellationToken).ConfigureAwait(false);
            request.ClientAssertion = new ClientAssertion { Type = AssertionType, Value = assertion };
        }
    }

    // A server's description of an error may repeat what it was sent.
    private static OAuthException Redact(OAuthException failure, Parameters parameters, ClientIdentity? client)
    {
        string message = parameters
            .Where(parameter => parameter.Key is not ("resource" or "scope" or "redirect_uri" or "audience"))
            .Select(parameter => parameter.Value)
            .Append(client?.Secret)
            .OfType<string>()
            .Where(secret => secret.Length > 0)
            .Aggregate(failure.Message, (text, secret) => text.Replace(secret, "(redacted)", StringComparison.Ordinal));
        return new OAuthException(failure.Failure, failure.Code, message);
    }

    private async Task<TokenResponse> SendAsync(
        ServerMetadata server, ClientIdentity? client, string grantType, Parameters parameters, ProofKey? proofKey, CancellationToken cancellationToken)
    {
        using var request = new TokenRequest { Address = server.TokenEndpoint, GrantType = grantType, Parameters = new Parameters(parameters) };
        if (client is not null)
        {
            await AuthenticateAsync(request, server, client, cancellationToken).ConfigureAwait(false);
        }

        request.DPoPProofToken = proofKey?.Prove("POST", new Uri(server.TokenEndpoint!), Volatile.Read(ref _nonce), accessToken: null);
        TokenResponse response = await http.Invoker.RequestTokenAsync(request, cancellationToken).ConfigureAwait(false);
        if (response.DPoPNonce is { } nonce)
        {
            Volatile.Write(ref _nonce, nonce);
        }

        return response;
    }
}
