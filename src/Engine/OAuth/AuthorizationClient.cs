using System.Net;
using System.Security.Cryptography.X509Certificates;
using Duende.IdentityModel;
using Duende.IdentityModel.Client;
using McpProxyFast.OAuth.Browser;
using McpProxyFast.OAuth.Discovery;
using McpProxyFast.OAuth.Grants;
using McpProxyFast.OAuth.Net;
using McpProxyFast.OAuth.Store;
using McpProxyFast.Outcomes;
using Microsoft.Extensions.Logging;

namespace McpProxyFast.OAuth;

/// <summary>The whole cold side of one target: signs in, renews, signs out, and keeps what comes of it in the store.</summary>
internal sealed class AuthorizationClient : IDisposable
{
    private static readonly TimeSpan PersonsTimeout = TimeSpan.FromMinutes(5);
    private static readonly TimeSpan MachinesTimeout = TimeSpan.FromSeconds(30);

    private readonly OAuthPolicy _policy;
    private readonly Uri _target;
    private readonly OAuthHttp _http;
    private readonly CredentialStore _store;
    private readonly string _storeKey;
    private readonly TimeProvider _clock;
    private readonly ILogger _logger;
    private readonly ProtectionDiscovery _discovery;
    private readonly ClientRegistry _clients;
    private readonly TokenEndpoint _tokens;
    private readonly SignInInvitation _invitation;
    private readonly IGrantFlow _flow;

    public AuthorizationClient(
        OAuthPolicy policy,
        Uri target,
        CredentialStore store,
        TimeProvider clock,
        ILogger logger,
        X509Certificate2Collection? trustAnchors = null,
        IProxyObserver? observer = null)
    {
        _policy = policy;
        _target = target;
        _store = store;
        _storeKey = CredentialStore.KeyFor(policy, target);
        _clock = clock;
        _logger = logger;
        _http = new OAuthHttp(target, OperatorUrls(policy), trustAnchors, clock);
        _discovery = new ProtectionDiscovery(policy, _http, clock, logger);
        _clients = new ClientRegistry(policy, _http, store, _storeKey, clock, logger);
        ClientKey? clientKey = policy.Client is KnownClient { Authentication.KeyPath: { } key } ? new ClientKey(key, clock) : null;
        _tokens = new TokenEndpoint(_http, clientKey, clock, TokenDialect.For(policy.Grant));
        _invitation = new SignInInvitation(target, clock, logger, observer);
        _flow = policy.Grant switch
        {
            OAuthGrant.AuthorizationCode grant => new AuthorizationCodeFlow(
                grant, [(policy.Client as KnownClient)?.Authentication?.SecretValue, policy.Store?.Key], _http, _clients, _tokens, clock, logger, _invitation),
            OAuthGrant.DeviceCode => new DeviceCodeFlow(_http, _clients, _tokens, clock, _invitation),
            _ => new MachineFlow(policy, _clients, _tokens),
        };
    }

    /// <summary>The key to which tokens are bound, where that was asked for.</summary>
    public DPoPKey? DPoPKey { get; private set; }

    /// <summary>Whether the next sign-in is asked for by a person, so that it counts after a sign-out too.</summary>
    public bool IsLogin { get; set; }

    /// <summary>Whether a person has been asked to sign in.</summary>
    public bool HasInvited => _invitation.WasShown;

    /// <summary>Whether the operator has said who protects the target.</summary>
    public bool KnowsServer => _policy.Server.IsGiven;

    /// <summary>Reads what an earlier run has kept.</summary>
    public async Task<IssuedCredential?> LoadAsync(CancellationToken cancellationToken)
    {
        using StoreLease lease = await _store.OpenAsync(cancellationToken).ConfigureAwait(false);
        StoredEntry entry = lease.Find(_storeKey);
        if (_policy.DPoP && DPoPKey is null)
        {
            DPoPKey = entry.DPoPKey is { } kept ? DPoPKey.Import(kept, _clock) : DPoPKey.Create(_clock);
        }

        return entry.Issued is { } issued ? WithSecret(issued) : null;
    }

    /// <summary>Signs in before any request has come, from what is known of the target or what it says when asked.</summary>
    /// <returns>The credential, or null where the target asks for none.</returns>
    public async Task<IssuedCredential?> ObtainFromTargetAsync(CancellationToken cancellationToken)
    {
        Challenge? challenge = null;
        if (!KnowsServer)
        {
            challenge = await new Probe(_http, _logger).AskAsync(_target, cancellationToken).ConfigureAwait(false);
            if (challenge is null && !await _discovery.IsPublishedAsync(_target, cancellationToken).ConfigureAwait(false))
            {
                _logger.NothingAsked(WellKnown.Origin(_target));
                return null;
            }
        }

        Protection protection = await DiscoverAsync(_target, challenge, cancellationToken).ConfigureAwait(false);
        return await ObtainAsync(protection, ScopesFor(protection, challenge, askedBefore: []), cancellationToken).ConfigureAwait(false);
    }

    /// <summary>Finds out who protects the resource.</summary>
    public Task<Protection> DiscoverAsync(Uri resource, Challenge? challenge, CancellationToken cancellationToken) =>
        _discovery.FindAsync(resource, challenge, cancellationToken);

    /// <summary>Which scopes a sign-in would ask for.</summary>
    public IReadOnlyList<string> ScopesFor(Protection protection, Challenge? challenge, IEnumerable<string> askedBefore) =>
        ScopeChoice.For(_policy, protection, challenge, askedBefore);

    /// <summary>Signs in, within the time that this may take, and keeps the result.</summary>
    public async Task<IssuedCredential> ObtainAsync(Protection protection, IReadOnlyList<string> scopes, CancellationToken cancellationToken)
    {
        bool needsPerson = ScopeChoice.IsForAPerson(_policy);
        TimeSpan timeout = _policy.SignInTimeout ?? (needsPerson ? PersonsTimeout : MachinesTimeout);
        _invitation.Begin(timeout);
        using var late = new CancellationTokenSource(timeout, _clock);
        using var linked = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, late.Token);
        try
        {
            IssuedCredential obtained = await RunFlowAsync(protection, scopes, linked.Token).ConfigureAwait(false);
            IssuedCredential issued = obtained with { ResourcePath = protection.Path };
            using StoreLease lease = await _store.OpenAsync(cancellationToken).ConfigureAwait(false);
            if (needsPerson || IsLogin || !lease.Find(_storeKey).IsSignedOut)
            {
                Keep(lease, issued);
            }

            _logger.SignedIn(Printable.Url(issued.Server.Issuer ?? issued.Server.TokenEndpoint!), issued.Tokens.ToString());
            return issued;
        }
        catch (OperationCanceledException failure) when (late.IsCancellationRequested && !cancellationToken.IsCancellationRequested)
        {
            if (_clients.IsKept)
            {
                // A server that has forgotten a client shows the person an error page and sends nobody back.
                await _clients.ForgetAsync(protection.Server, cancellationToken).ConfigureAwait(false);
            }

            string message = needsPerson
                ? $"Nobody completed the sign-in within {timeout}. The next request, or `mcpproxyfast login`, starts another. Where the browser showed an "
                + "error instead, it says which of the client id, the redirect URI, the scopes and the resource was refused."
                : $"The sign-in took longer than {timeout}.";
            throw new OAuthException(needsPerson ? OAuthFailure.GrantLost : OAuthFailure.Transient, "sign-in-timed-out", message, failure);
        }
    }

    /// <summary>Renews a credential; adopts the one that another process has renewed meanwhile.</summary>
    /// <exception cref="OAuthException">It cannot be renewed.</exception>
    public async Task<IssuedCredential> RenewAsync(IssuedCredential old, CancellationToken cancellationToken)
    {
        // The store is held for the whole request: a refresh token that rotates may be used once, by one process.
        using StoreLease lease = await _store.OpenAsync(cancellationToken).ConfigureAwait(false);
        if (lease.Find(_storeKey).IsSignedOut)
        {
            throw new OAuthException(OAuthFailure.GrantLost, "signed-out", "Somebody has signed out (`mcpproxyfast logout`), so it is not renewed.");
        }

        IssuedCredential latest = Latest(lease, old);
        if (latest != old && (latest.Tokens.ExpiresAt ?? DateTimeOffset.MaxValue) > _clock.GetUtcNow())
        {
            _logger.RenewedElsewhere();
            return latest;
        }

        if (latest.Tokens.RefreshToken is not { } refreshToken)
        {
            throw new OAuthException(OAuthFailure.GrantLost, "not-renewable", "There is no refresh token to renew it with.");
        }

        TokenSet renewed = await AskForRenewalAsync(lease, latest, refreshToken).ConfigureAwait(false);
        TokenSet tokens = renewed with { RefreshToken = renewed.RefreshToken ?? refreshToken, Scope = renewed.Scope ?? latest.Tokens.Scope };
        IssuedCredential issued = latest with { Tokens = tokens };
        Keep(lease, issued);
        _logger.Renewed(Printable.Url(issued.Server.TokenEndpoint!), issued.Tokens.ToString());
        return issued;
    }

    /// <summary>Signs in as before, without discovery, for the grants in which nobody has to act.</summary>
    public Task<IssuedCredential> ObtainAgainAsync(IssuedCredential issued, CancellationToken cancellationToken)
    {
        var protection = new Protection(issued.Server, IsOperators: false, issued.Resource, issued.ResourcePath ?? "/", ScopesSupported: []);
        return ObtainAsync(protection, issued.Scopes, cancellationToken);
    }

    /// <summary>Drops the credential, for processes that hold it too, and, where the server offers it, revokes it (RFC 7009).</summary>
    /// <returns>Whether there was one.</returns>
    public async Task<bool> SignOutAsync(CancellationToken cancellationToken)
    {
        IssuedCredential? issued = await LoadAsync(cancellationToken).ConfigureAwait(false);
        using (StoreLease lease = await _store.OpenAsync(cancellationToken).ConfigureAwait(false))
        {
            StoredEntry entry = lease.Find(_storeKey);
            if (entry != StoredEntry.Empty)
            {
                lease.Put(_storeKey, new StoredEntry { Target = entry.Target, IsSignedOut = true });
            }
        }

        if (issued?.Server.RevocationEndpoint is not null)
        {
            await RevokeAsync(issued, cancellationToken).ConfigureAwait(false);
        }

        return issued is not null;
    }

    public void Dispose()
    {
        DPoPKey?.Dispose();
        _http.Dispose();
        _store.Dispose();
    }

    // Not cancelled, only bounded by the time of one request: the answer may hold the one refresh token that still counts.
    private async Task<TokenSet> AskForRenewalAsync(StoreLease lease, IssuedCredential latest, string refreshToken)
    {
        var parameters = new Parameters { { "refresh_token", refreshToken } };
        parameters.AddOptional("resource", latest.Resource);
        try
        {
            return await _tokens.AskAsync(
                latest.Server, latest.Client, OidcConstants.GrantTypes.RefreshToken, parameters, DPoPKey, CancellationToken.None).ConfigureAwait(false);
        }
        catch (OAuthException failure) when (failure.Failure is OAuthFailure.ClientUnknown && latest.Client.IsRegistered)
        {
            // A browser sent there with this client would end at the server's error page and never come back.
            _clients.Forget(lease, latest.Server);
            throw;
        }
        catch (OAuthException failure) when (EndsGrant(failure))
        {
            throw new OAuthException(OAuthFailure.GrantLost, "grant-lost", failure.Message, failure);
        }
    }

    // Servers have many words for a refresh token that is over, and some say it with 200. What they refuse for good is not shown to them again.
    private static bool EndsGrant(OAuthException failure) => failure switch
    {
        { Status: null } or { Failure: OAuthFailure.ClientUnknown } => false,
        { Failure: OAuthFailure.Refused } => true,
        { Code: "token-endpoint-unavailable", Status: >= HttpStatusCode.BadRequest and < HttpStatusCode.InternalServerError } =>
            !DiscoveryLog.IsTransient(failure.Status.Value),
        _ => false,
    };

    // A registration that the server has forgotten is made again, once.
    private async Task<IssuedCredential> RunFlowAsync(Protection protection, IReadOnlyList<string> scopes, CancellationToken cancellationToken)
    {
        try
        {
            return await _flow.RunAsync(protection, scopes, DPoPKey, cancellationToken).ConfigureAwait(false);
        }
        catch (OAuthException failure) when (failure.Failure is OAuthFailure.ClientUnknown && !_clients.IsPreregistered && ScopeChoice.IsForAPerson(_policy))
        {
            await _clients.ForgetAsync(protection.Server, cancellationToken).ConfigureAwait(false);
            return await _flow.RunAsync(protection, scopes, DPoPKey, cancellationToken).ConfigureAwait(false);
        }
        catch (OAuthException failure) when (protection.FoundBy.Length > 0 && (failure.Failure is OAuthFailure.Refused || protection.IsGuessed))
        {
            // What is wrong may be who was asked, and that was found out by what follows.
            string found = protection.IsGuessed
                ? $"The server publishes nothing, so its endpoints were assumed (name it by OAuthPolicy.Server). Tried: {protection.FoundBy}."
                : $"The server was found by: {protection.FoundBy}.";
            throw new OAuthException(failure.Failure, failure.Code, $"{failure.Message} {found}", failure) { Status = failure.Status };
        }
    }

    private async Task RevokeAsync(IssuedCredential issued, CancellationToken cancellationToken)
    {
        using var request = new TokenRevocationRequest
        {
            Address = issued.Server.RevocationEndpoint,
            Token = issued.Tokens.RefreshToken ?? issued.Tokens.AccessToken,
            TokenTypeHint = issued.Tokens.RefreshToken is null ? "access_token" : "refresh_token",
        };
        await _tokens.AuthenticateAsync(request, issued.Server, issued.Client, new Redaction(), cancellationToken).ConfigureAwait(false);
        using TokenRevocationResponse answer = await _http.Invoker.RevokeTokenAsync(request, cancellationToken).ConfigureAwait(false);
        if (answer.IsError)
        {
            _logger.NotRevoked(Printable.Url(issued.Server.RevocationEndpoint!));
        }
    }

    private void Keep(StoreLease lease, IssuedCredential issued)
    {
        // The operator's own secret stays where the operator keeps it.
        IssuedCredential kept = issued.Client.IsRegistered ? issued : issued with { Client = issued.Client with { Secret = null } };
        lease.Put(_storeKey, lease.Find(_storeKey) with
        {
            Target = WellKnown.Origin(_target) + _target.AbsolutePath,
            Issued = kept,
            IsSignedOut = false,
            DPoPKey = DPoPKey?.Export(),
        });
    }

    private IssuedCredential Latest(StoreLease lease, IssuedCredential known)
    {
        bool isNewer = lease.Find(_storeKey).Issued is { Tokens: var kept }
            && kept.AccessToken != known.Tokens.AccessToken && kept.IssuedAt >= known.Tokens.IssuedAt;
        return isNewer ? WithSecret(lease.Find(_storeKey).Issued!) : known;
    }

    // Who the operator's client is, and how it shows that, is what the operator says now.
    private IssuedCredential WithSecret(IssuedCredential kept) =>
        kept.Client.IsRegistered || _policy.Client is not KnownClient ? kept : kept with { Client = _clients.Preregistered(kept.Server) };

    private static IEnumerable<Uri> OperatorUrls(OAuthPolicy policy)
    {
        Uri? provider = policy.Grant is OAuthGrant.IdentityAssertion grant ? grant.IdpTokenUrl : null;
        return new[] { UrlRule.Parse(policy.Server.Issuer), policy.Server.AuthorizeUrl, policy.Server.TokenUrl, provider }.OfType<Uri>();
    }
}
