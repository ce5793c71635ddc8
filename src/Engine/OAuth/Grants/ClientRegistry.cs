using System.Globalization;
using System.Text.Json;
using Duende.IdentityModel.Client;
using McpProxyFast.OAuth.Discovery;
using McpProxyFast.OAuth.Net;
using McpProxyFast.OAuth.Store;
using McpProxyFast.Outcomes;
using Microsoft.Extensions.Logging;

namespace McpProxyFast.OAuth.Grants;

/// <summary>Chooses the proxy's client id at an authorization server: the configured one, a stored or new registration, or its metadata document.</summary>
internal sealed class ClientRegistry(OAuthPolicy policy, OAuthHttp http, CredentialStore store, string storeKey, TimeProvider clock, ILogger logger)
{
    /// <summary>
    /// The maximum length of a registered client id or client secret, in characters; a longer one makes the registration fail. Both are stored, and the id is
    /// part of the link to sign in.
    /// </summary>
    private const int MaxIdentity = 8 * 1024;

    /// <summary>Whether the operator has registered the client beforehand, together with its redirect URI.</summary>
    public bool IsPreregistered => policy.Client is KnownClient;

    /// <summary>Whether the client that was chosen last comes from an earlier sign-in's registration. Then the server may have forgotten it.</summary>
    public bool IsKept { get; private set; }

    /// <exception cref="OAuthException">The operator has set no client, and none can be registered. The message says what to do.</exception>
    public async Task<ClientIdentity> ChooseAsync(ServerMetadata server, string? redirectUri, IReadOnlyList<string> scopes, CancellationToken cancellationToken)
    {
        if (policy.Client is KnownClient)
        {
            return Preregistered(server);
        }

        ClientIdentity? kept = await FindKeptAsync(server, redirectUri, scopes, cancellationToken).ConfigureAwait(false);
        IsKept = kept is not null;
        if (kept is not null)
        {
            return kept;
        }

        if (policy.Client is OAuthClient.DescribedByDocument document && server.ClientIdMetadataDocumentSupported)
        {
            return new ClientIdentity { Id = document.Url, Method = ClientMethod.None };
        }

        if (server.RegistrationEndpoint is null)
        {
            throw OAuthException.Refused(
                "client-id-needed",
                $"{Name(server)} offers no dynamic registration; register a client there and give its client id (and secret): "
                + $"KnownClient.Id{(redirectUri is null ? "" : $". Its redirect URI must be {redirectUri}; AuthorizationCode.CallbackPort sets the port")}.");
        }

        ClientIdentity registered = await RegisterAsync(server, redirectUri, scopes, cancellationToken).ConfigureAwait(false);
        await KeepAsync(server, registered, cancellationToken).ConfigureAwait(false);
        return registered;
    }

    /// <summary>Returns the client that the operator has registered.</summary>
    public ClientIdentity Preregistered(ServerMetadata server) => Preregistered(policy, server);

    /// <summary>Returns the client that the operator has registered. The policy must have one.</summary>
    public static ClientIdentity Preregistered(OAuthPolicy policy, ServerMetadata server)
    {
        var known = (KnownClient)policy.Client!;
        return new ClientIdentity
        {
            Id = known.Id,
            Secret = known.Authentication?.SecretValue,
            Method = known.Authentication is null ? ClientMethod.None
                : known.Authentication.KeyPath is not null ? ClientMethod.PrivateKeyJwt
                : ClientMethod.ForSecret(server, policy.TokenEndpointAuthMethod),
        };
    }

    /// <summary>Drops the stored registration at a server that has forgotten it.</summary>
    public async Task ForgetAsync(ServerMetadata server, CancellationToken cancellationToken)
    {
        using StoreLease lease = await store.OpenAsync(cancellationToken).ConfigureAwait(false);
        logger.RegistrationDropped(Name(server));
        StoredEntry entry = lease.Find(storeKey);
        lease.Put(storeKey, entry with { Registrations = entry.Registrations.Remove(Name(server)) });
    }

    // Finds a stored registration that can be used: its redirect URI is the same, it covers the scopes, and its secret has not expired.
    private async Task<ClientIdentity?> FindKeptAsync(
        ServerMetadata server, string? redirectUri, IReadOnlyList<string> scopes, CancellationToken cancellationToken)
    {
        using StoreLease lease = await store.OpenAsync(cancellationToken).ConfigureAwait(false);
        ClientIdentity? kept = lease.Find(storeKey).Registrations.GetValueOrDefault(Name(server));
        bool isAlive = kept?.SecretExpiresAt is not > 0 || kept.SecretExpiresAt > clock.GetUtcNow().ToUnixTimeSeconds();
        bool mayAsk = kept?.Scopes is not { Count: > 0 } registered || scopes.All(registered.Contains);
        return kept?.RedirectUri == redirectUri && isAlive && mayAsk ? kept : null;
    }

    private async Task KeepAsync(ServerMetadata server, ClientIdentity registered, CancellationToken cancellationToken)
    {
        using StoreLease lease = await store.OpenAsync(cancellationToken).ConfigureAwait(false);
        StoredEntry entry = lease.Find(storeKey);
        lease.Put(storeKey, entry with { Registrations = entry.Registrations.SetItem(Name(server), registered) });
    }

    private static string Name(ServerMetadata server) => server.Issuer ?? server.TokenEndpoint!;

    private async Task<ClientIdentity> RegisterAsync(
        ServerMetadata server, string? redirectUri, IReadOnlyList<string> scopes, CancellationToken cancellationToken)
    {
        ServerEndpoint.Require(
            server,
            "registration_endpoint",
            server.RegistrationEndpoint,
            "Until its operator has corrected that, register a client there by hand and give its client id (and secret): KnownClient.Id.");
        using var request = new DynamicClientRegistrationRequest
        {
            Address = server.RegistrationEndpoint,
            Document = Describe(server, redirectUri, scopes),
        };
        using DynamicClientRegistrationResponse answer = await http.Invoker.RegisterClientAsync(request, cancellationToken).ConfigureAwait(false);
        try
        {
            TokenAnswer.ThrowIfFailed(answer, server.RegistrationEndpoint!, new Redaction());
        }
        catch (OAuthException failure) when (failure.Failure is not OAuthFailure.Transient)
        {
            throw OAuthException.Refused(
                "registration-refused",
                $"{failure.Message} Register a client with the authorization server by hand and give its client id (and secret): KnownClient.Id.");
        }

        return Read(answer, server, redirectUri) with { Scopes = scopes };
    }

    // RFC 7591 §2. MCP 2026-07-28 requires `application_type`, and grant types that match the flow.
    private DynamicClientRegistrationDocument Describe(ServerMetadata server, string? redirectUri, IReadOnlyList<string> scopes)
    {
        bool withBrowser = policy.Grant is OAuthGrant.AuthorizationCode;
        var document = new DynamicClientRegistrationDocument
        {
            ClientName = "McpProxyFast",
            ApplicationType = "native",
            TokenEndpointAuthenticationMethod = ClientMethod.ForRegistration(server, policy.TokenEndpointAuthMethod),
            Scope = scopes.Count > 0 ? string.Join(' ', scopes) : null,

            // With null these members are left out. If `default_acr_values` were sent as an empty list, oidc-provider would demand the scope `openid`.
            Contacts = null!,
            PostLogoutRedirectUris = null!,
            DefaultAcrValues = null!,
            RequestUris = null!,
        };
        document.GrantTypes.Add(withBrowser ? "authorization_code" : "urn:ietf:params:oauth:grant-type:device_code");
        document.GrantTypes.Add("refresh_token");
        if (withBrowser)
        {
            document.ResponseTypes.Add("code");
            document.RedirectUris.Add(new Uri(redirectUri!));
        }

        return document;
    }

    private ClientIdentity Read(DynamicClientRegistrationResponse answer, ServerMetadata server, string? redirectUri)
    {
        JsonElement json = answer.Json!.Value;
        string id = json.WordOf("client_id") is { Length: > 0 } given
            ? given
            : throw OAuthException.Refused("registration-refused", $"{server.RegistrationEndpoint} answered the registration of a client without a client_id.");
        string? secret = json.WordOf("client_secret") is { Length: > 0 } issued ? issued : null;
        if (id.Length > MaxIdentity || secret?.Length > MaxIdentity)
        {
            throw OAuthException.Refused(
                "registration-refused",
                $"{server.RegistrationEndpoint} answered the registration of a client with a client_id or client_secret "
                + $"of more than {MaxIdentity / 1024} KiB.");
        }

        TokenEndpointAuthMethod wanted = policy.TokenEndpointAuthMethod;
        string? told = wanted is TokenEndpointAuthMethod.Automatic || secret is null ? json.WordOf("token_endpoint_auth_method") : null;
        string method = told ?? (secret is null ? ClientMethod.None : ClientMethod.ForSecret(server, wanted));
        return new ClientIdentity
        {
            Id = id,
            Secret = secret,
            Method = method,
            IsRegistered = true,
            RedirectUri = redirectUri,
            SecretExpiresAt = SecondsOf(json, "client_secret_expires_at"),
        };
    }

    private static long? SecondsOf(JsonElement json, string name) =>
        long.TryParse(json.WordOf(name), NumberStyles.None, CultureInfo.InvariantCulture, out long seconds) ? seconds : null;
}
