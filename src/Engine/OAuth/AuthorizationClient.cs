using System.Security.Cryptography.X509Certificates;
using McpProxyFast.OAuth.Browser;
using McpProxyFast.OAuth.Discovery;
using McpProxyFast.OAuth.Grants;
using McpProxyFast.OAuth.Net;
using McpProxyFast.OAuth.Store;
using McpProxyFast.Outcomes;
using Microsoft.Extensions.Logging;

namespace McpProxyFast.OAuth;

/// <summary>The whole cold side of one target: signs in, renews, signs out, and stores the results.</summary>
internal sealed class AuthorizationClient : IDisposable
{
    /// <summary>Most sign-ins in an hour that a person is asked for, over all processes on a store. A hostile target could ask again and again.</summary>
    public const int MaxSignInsAnHour = 6;

    /// <summary>The name of every sign-in in which a client shows only itself.</summary>
    private const string ClientsSignIn = "client";

    private static readonly TimeSpan PersonsTimeout = TimeSpan.FromMinutes(5);
    private static readonly TimeSpan MachinesTimeout = TimeSpan.FromSeconds(30);

    /// <summary>How tokens are obtained. Set for life.</summary>
    private readonly OAuthPolicy _policy;

    /// <summary>The upstream. Set for life.</summary>
    private readonly Uri _target;

    /// <summary>The way to the servers. Valid until disposed of.</summary>
    private readonly OAuthHttp _http;

    /// <summary>What is kept, for all targets and policies. Valid until disposed of.</summary>
    private readonly CredentialStore _store;

    /// <summary>The entry of this target and policy in that store.</summary>
    private readonly CredentialEntry _kept;

    /// <summary>Measures lifetimes and waits. Set for life.</summary>
    private readonly TimeProvider _clock;

    /// <summary>Logs what a person has to know; never a secret. Set for life.</summary>
    private readonly ILogger _logger;

    /// <summary>Finds out who protects a resource.</summary>
    private readonly ProtectionDiscovery _discovery;

    /// <summary>Chooses and registers the client.</summary>
    private readonly ClientRegistry _clients;

    /// <summary>Asks token endpoints.</summary>
    private readonly TokenEndpoint _tokens;

    /// <summary>Renews with refresh tokens.</summary>
    private readonly TokenRenewal _renewal;

    /// <summary>Revokes.</summary>
    private readonly TokenRevocation _revocation;

    /// <summary>Shows a person where to sign in.</summary>
    private readonly SignInInvitation _invitation;

    /// <summary>The policy's way to a first token.</summary>
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
        _kept = new CredentialEntry(policy, target, store, clock);
        _clock = clock;
        _logger = logger;
        _http = new OAuthHttp(target, OperatorUrls(policy), trustAnchors, clock);
        _discovery = new ProtectionDiscovery(policy, _http, clock, logger);
        _clients = new ClientRegistry(policy, _http, store, _kept.Name, clock, logger);
        ClientKey? clientKey = policy.Client is KnownClient { Authentication.KeyPath: { } key } ? new ClientKey(key, clock) : null;
        _tokens = new TokenEndpoint(_http, clientKey, clock, TokenDialect.For(policy.Grant));
        _revocation = new TokenRevocation(_http, _tokens, logger);
        _renewal = new TokenRenewal(_kept, store.Turns, _clients, _tokens, _revocation, clock, logger);
        _invitation = new SignInInvitation(target, clock, logger, observer);
        _flow = policy.Grant switch
        {
            OAuthGrant.AuthorizationCode grant => new AuthorizationCodeFlow(
                grant, [(policy.Client as KnownClient)?.Authentication?.SecretValue, policy.Store?.Key], _http, _clients, _tokens, clock, logger, _invitation),
            OAuthGrant.DeviceCode => new DeviceCodeFlow(_http, _clients, _tokens, clock, _invitation),
            _ => new MachineFlow(policy, _clients, _tokens),
        };
    }

    /// <summary>Whether the next sign-in is asked for by a person, so that it counts after a sign-out too.</summary>
    public bool IsLogin { get; set; }

    /// <summary>Whether the operator has said who protects the target.</summary>
    public bool KnowsServer => _policy.Server.IsGiven;

    /// <summary>Whether other processes can change what is kept.</summary>
    public bool IsShared => _store.IsShared;

    /// <summary>Whether the last attempt showed a person where to sign in. If so, its failure is most likely not due to the settings.</summary>
    public bool WasPersonAsked => _invitation.WasShown;

    private bool NeedsPerson => ScopeChoice.IsForAPerson(_policy);

    /// <summary>Reads what an earlier run has kept.</summary>
    public Task<HeldCredential?> LoadAsync(CancellationToken cancellationToken) => _kept.LoadAsync(cancellationToken);

    /// <summary>Checks whether another process has changed the store; that costs one system call if it has not.</summary>
    /// <returns>The entry as it is now; null if nothing has changed.</returns>
    /// <exception cref="OAuthException">The store cannot be read.</exception>
    public Task<StoreNews?> LookAsync(CancellationToken cancellationToken) => _kept.LookAsync(cancellationToken);

    /// <summary>Signs in before any request has come, from what is known of the target or what it says when asked.</summary>
    /// <param name="known">What is held already.</param>
    /// <param name="cancellationToken">Cancels the operation.</param>
    /// <returns>The credential, or null if the target asks for none.</returns>
    public async Task<HeldCredential?> ObtainFromTargetAsync(HeldCredential? known, CancellationToken cancellationToken)
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
        return await ObtainAsync(protection, ScopesFor(protection, challenge, askedBefore: []), known, cancellationToken).ConfigureAwait(false);
    }

    /// <summary>Finds out who protects the resource.</summary>
    public Task<Protection> DiscoverAsync(Uri resource, Challenge? challenge, CancellationToken cancellationToken) =>
        _discovery.FindAsync(resource, challenge, cancellationToken);

    /// <summary>Which scopes a sign-in would ask for.</summary>
    public IReadOnlyList<string> ScopesFor(Protection protection, Challenge? challenge, IEnumerable<string> askedBefore) =>
        ScopeChoice.For(_policy, protection, challenge, askedBefore);

    /// <summary>Signs in, within the time that this may take, and keeps the result.</summary>
    /// <remarks>
    /// One process at a time asks a person, in one window at a time. Other processes with the same target wait and use the result. The time that a sign-in may
    /// take starts after this wait.
    /// </remarks>
    /// <param name="protection">The authorization server, and the resource that the token is for.</param>
    /// <param name="scopes">The scopes to ask for.</param>
    /// <param name="known">What is held now. If the store has another one when the wait is over, that one is used.</param>
    /// <param name="cancellationToken">Cancels the operation.</param>
    public async Task<HeldCredential> ObtainAsync(
        Protection protection, IReadOnlyList<string> scopes, HeldCredential? known, CancellationToken cancellationToken)
    {
        _invitation.Reset();
        if (!NeedsPerson)
        {
            return await SignInAsync(protection, scopes, cancellationToken).ConfigureAwait(false);
        }

        await _tokens.CheckAsync(protection.Server, cancellationToken).ConfigureAwait(false);
        string name = WellKnown.Origin(_target);
        using FileStream? turn = await _store.Turns.TakeSignInAsync(
            _kept.Name, () => _logger.SignInElsewhere(name), cancellationToken).ConfigureAwait(false);
        if (await _kept.FindNewerAsync(known, protection, scopes, cancellationToken).ConfigureAwait(false) is { } found)
        {
            _logger.SignedInElsewhere(name);
            return found;
        }

        bool opensWindow = _policy.Grant is OAuthGrant.AuthorizationCode { SkipBrowser: false };
        using FileStream? window = opensWindow
            ? await _store.Turns.TakeWindowAsync(() => _logger.WindowElsewhere(name), cancellationToken).ConfigureAwait(false)
            : null;
        await CountSignInAsync(cancellationToken).ConfigureAwait(false);
        return await SignInAsync(protection, scopes, cancellationToken).ConfigureAwait(false);
    }

    /// <summary>Renews a credential; adopts the one that another process has obtained meanwhile.</summary>
    /// <exception cref="OAuthException">It cannot be renewed.</exception>
    public Task<HeldCredential> RenewAsync(HeldCredential old, CancellationToken cancellationToken) => _renewal.RenewAsync(old, cancellationToken);

    /// <summary>Signs in as before, without discovery, for the grants in which nobody has to act.</summary>
    public async Task<HeldCredential> ObtainAgainAsync(HeldCredential old, CancellationToken cancellationToken)
    {
        IssuedCredential issued = old.Issued;
        var protection = new Protection(issued.Server, IsOperators: false, issued.Resource, issued.ResourcePath ?? "/", ScopesSupported: []);
        return await ObtainAsync(protection, issued.Scopes, old, cancellationToken).ConfigureAwait(false);
    }

    /// <summary>Drops the credential, for processes that hold it too, and, if the server offers it, revokes it (RFC 7009).</summary>
    /// <returns>Whether there was one.</returns>
    public async Task<bool> SignOutAsync(CancellationToken cancellationToken)
    {
        if (await _kept.SignOutAsync(cancellationToken).ConfigureAwait(false) is not { } dropped)
        {
            return false;
        }

        await _revocation.RevokeAsync(dropped.Issued, cancellationToken).ConfigureAwait(false);
        return true;
    }

    public void Dispose()
    {
        _http.Dispose();
        _store.Dispose();
    }

    private async Task CountSignInAsync(CancellationToken cancellationToken)
    {
        if (!IsLogin
            && await _kept.CountSignInAsync(MaxSignInsAnHour, TimeSpan.FromHours(1), cancellationToken).ConfigureAwait(false) is { } next)
        {
            throw OAuthException.Refused(
                "too-many-sign-ins",
                $"A person has been asked to sign in {MaxSignInsAnHour} times within an hour, so nobody is asked again before {next:HH:mm} UTC. "
                + "`mcpproxyfast login` signs in now.");
        }
    }

    private async Task<HeldCredential> SignInAsync(Protection protection, IReadOnlyList<string> scopes, CancellationToken cancellationToken)
    {
        TimeSpan timeout = _policy.SignInTimeout ?? (NeedsPerson ? PersonsTimeout : MachinesTimeout);
        _invitation.Begin(timeout);
        using var late = new CancellationTokenSource(timeout, _clock);
        using var linked = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, late.Token);
        try
        {
            DPoPKey? key = await _kept.KeyAsync(linked.Token).ConfigureAwait(false);
            IssuedCredential issued = await RunFlowAsync(protection, scopes, key, linked.Token).ConfigureAwait(false);

            // A client is always the same one. The files of the other grants may be about somebody else by now.
            string signIn = _policy.Grant is OAuthGrant.ClientCredentials ? ClientsSignIn : IssuedCredential.NewSignIn();
            issued = issued with { ResourcePath = protection.Path, SignIn = signIn };
            HeldCredential held = await _kept.KeepAsync(issued, key, NeedsPerson || IsLogin).ConfigureAwait(false);
            _logger.SignedIn(Printable.Url(issued.Server.Issuer ?? issued.Server.TokenEndpoint!), issued.Tokens.ToString());
            return held;
        }
        catch (OperationCanceledException failure) when (late.IsCancellationRequested && !cancellationToken.IsCancellationRequested)
        {
            if (_clients.IsKept)
            {
                // A server that no longer knows a client shows the person an error page and does not send the browser back.
                await _clients.ForgetAsync(protection.Server, cancellationToken).ConfigureAwait(false);
            }

            string message = NeedsPerson
                ? $"Nobody completed the sign-in within {timeout}. The next request, or `mcpproxyfast login`, starts another. If the browser showed an "
                + "error instead, it says which of the client id, the redirect URI, the scopes and the resource was refused."
                : $"The sign-in took longer than {timeout}.";
            throw new OAuthException(NeedsPerson ? OAuthFailure.GrantLost : OAuthFailure.Transient, "sign-in-timed-out", message, failure);
        }
    }

    // A registration that the server has forgotten is made again, once.
    private async Task<IssuedCredential> RunFlowAsync(
        Protection protection, IReadOnlyList<string> scopes, DPoPKey? key, CancellationToken cancellationToken)
    {
        try
        {
            return await _flow.RunAsync(protection, scopes, key, cancellationToken).ConfigureAwait(false);
        }
        catch (OAuthException failure) when (failure.Failure is OAuthFailure.ClientUnknown && !_clients.IsPreregistered && NeedsPerson)
        {
            await _clients.ForgetAsync(protection.Server, cancellationToken).ConfigureAwait(false);
            return await _flow.RunAsync(protection, scopes, key, cancellationToken).ConfigureAwait(false);
        }
        catch (OAuthException failure) when (protection.FoundBy.Length > 0 && (failure.Failure is OAuthFailure.Refused || protection.IsGuessed))
        {
            // The cause may be that the wrong server was asked. So the message says how the server was found.
            string found = protection.IsGuessed
                ? $"The server publishes nothing, so its endpoints were assumed (name it by OAuthPolicy.Server). Tried: {protection.FoundBy}."
                : $"The server was found by: {protection.FoundBy}.";
            throw failure.Saying($"{failure.Message} {found}");
        }
    }

    private static IEnumerable<Uri> OperatorUrls(OAuthPolicy policy)
    {
        Uri? provider = policy.Grant is OAuthGrant.IdentityAssertion grant ? grant.IdpTokenUrl : null;
        return new[] { UrlRule.Parse(policy.Server.Issuer), policy.Server.AuthorizeUrl, policy.Server.TokenUrl, provider }.OfType<Uri>();
    }
}
