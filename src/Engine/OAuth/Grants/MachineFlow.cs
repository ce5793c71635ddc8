using Duende.IdentityModel;
using Duende.IdentityModel.Client;
using McpProxyFast.OAuth.Discovery;
using McpProxyFast.OAuth.Store;

namespace McpProxyFast.OAuth.Grants;

/// <summary>
/// Runs the grants that need no person: client credentials; jwt-bearer with the assertion of a workload; id-jag with the assertion of an identity provider
/// about a person.
/// </summary>
internal sealed class MachineFlow(OAuthPolicy policy, ClientRegistry clients, TokenEndpoint tokens) : IGrantFlow
{
    private const string IdJag = "urn:ietf:params:oauth:token-type:id-jag";

    public async Task<IssuedCredential> RunAsync(Protection protection, IReadOnlyList<string> scopes, DPoPKey? dpopKey, CancellationToken cancellationToken)
    {
        ServerMetadata server = protection.Server;
        ClientIdentity? client = policy.Client is null ? null : clients.Preregistered(server);
        var parameters = new Parameters();
        string grant = OidcConstants.GrantTypes.ClientCredentials;
        if (await AssertionAsync(protection, scopes, cancellationToken).ConfigureAwait(false) is { } assertion)
        {
            grant = OidcConstants.GrantTypes.JwtBearer;
            parameters.Add("assertion", assertion);
        }

        parameters.AddOptional("resource", protection.Resource);
        parameters.AddOptional("scope", string.Join(' ', scopes));
        TokenSet issued = await tokens.AskAsync(server, client, grant, parameters, dpopKey, cancellationToken).ConfigureAwait(false);
        return new IssuedCredential
        {
            Server = server,
            Client = client ?? new ClientIdentity { Id = "", Method = ClientMethod.None },
            Resource = protection.Resource,
            Scopes = scopes,
            Tokens = issued,
        };
    }

    /// <returns>The assertion to send; null if the policy's grant has none.</returns>
    private async Task<string?> AssertionAsync(Protection protection, IReadOnlyList<string> scopes, CancellationToken cancellationToken) => policy.Grant switch
    {
        OAuthGrant.JwtBearer grant => await ReadSecret.FromAsync(grant.AssertionFile, "assertion", cancellationToken).ConfigureAwait(false),
        OAuthGrant.IdentityAssertion grant => await AskProviderAsync(grant, protection, scopes, cancellationToken).ConfigureAwait(false),
        _ => null,
    };

    private async Task<string> AskProviderAsync(
        OAuthGrant.IdentityAssertion grant, Protection protection, IReadOnlyList<string> scopes, CancellationToken cancellationToken)
    {
        // Identity Assertion Authorization Grant: the identity provider exchanges the person's ID token for an assertion that only this authorization server
        // accepts (RFC 8693 §2.1).
        var parameters = new Parameters
        {
            { "requested_token_type", IdJag },
            { "audience", protection.Server.Issuer ?? protection.Server.TokenEndpoint! },
            { "subject_token", await ReadSecret.FromAsync(grant.IdTokenFile, "ID token", cancellationToken).ConfigureAwait(false) },
            { "subject_token_type", OidcConstants.TokenTypeIdentifiers.IdentityToken },
        };
        parameters.AddOptional("resource", protection.Resource);
        parameters.AddOptional("scope", string.Join(' ', scopes));
        var provider = new ServerMetadata { TokenEndpoint = grant.IdpTokenUrl.OriginalString, IsAssumed = true };
        var client = new ClientIdentity { Id = grant.IdpClientId, Method = ClientMethod.None };
        TokenSet assertion = await tokens.AskAsync(
            provider, client, OidcConstants.GrantTypes.TokenExchange, parameters, dpopKey: null, cancellationToken).ConfigureAwait(false);
        return assertion.AccessToken;
    }
}
