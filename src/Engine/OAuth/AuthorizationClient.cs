using System.Security.Cryptography.X509Certificates;
using McpProxyFast.OAuth.Browser;
using McpProxyFast.OAuth.Discovery;
using McpProxyFast.OAuth.Grants;
using McpProxyFast.OAuth.Net;
using McpProxyFast.OAuth.Store;
using McpProxyFast.Outcomes;
using Microsoft.Extensions.Logging;

namespace McpProxyFast.OAuth;

/// <summary>Obtains and manages the credential for one target: signs in, renews, signs out, and stores the results. Not used on the request path.</summary>
internal sealed class AuthorizationClient : IDisposable
{
    /// <summary>
    /// The maximum number of times in an hour that a person is asked to sign in, counted over all processes that share the store. A hostile target could make
    /// the proxy ask again and again. After that, sign-ins fail until the hour is over; only the command <c>login</c> is not limited.
    /// </summary>
    public const int MaxSignInsAnHour = 6;

    /// <summary>The value of <see cref="IssuedCredential.SignIn"/> for every sign-in with client credentials, where no person is involved.</summary>
    private const string ClientsSignIn = "client";

    private static readonly TimeSpan PersonsTimeout = TimeSpan.FromMinutes(5);
    private static readonly TimeSpan MachinesTimeout = TimeSpan.FromSeconds(30);

    /// <summary>How tokens are obtained. Never changes.</summary>
    private readonly OAuthPolicy _policy;

    /// <summary>The upstream. Never changes.</summary>
    private readonly Uri _target;

    /// <summary>Sends requests to authorization servers. Valid until disposed of.</summary>
    private readonly OAuthHttp _http;

    /// <summary>The credential store, which has the entries for all targets and policies. Valid until disposed of.</summary>
    private readonly CredentialStore _store;

    /// <summary>The entry for this target and policy in the store.</summary>
    private readonly CredentialEntry _kept;

    /// <summary>Measures lifetimes and waits. Never changes.</summary>
    private readonly TimeProvider _clock;

    /// <summary>Logs what a person must know; never a secret. Never changes.</summary>
    private readonly ILogger _logger;

    /// <summary>Finds the authorization server that protects a resource.</summary>
    private readonly ProtectionDiscovery _discovery;

    /// <summary>Chooses and registers the client.</summary>
    private readonly ClientRegistry _clients;

    /// <summary>Requests tokens from token endpoints.</summary>
    private readonly TokenEndpoint _tokens;

    /// <summary>Renews credentials with refresh tokens.</summary>
    private readonly TokenRenewal _renewal;

    /// <summary>Revokes tokens.</summary>
    private readonly TokenRevocation _revocation;

    /// <summary>Shows a person where to sign in.</summary>
    private readonly SignInInvitation _invitation;

    /// <summary>Runs the policy's grant to obtain a new token. Never changes.</summary>
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

    /// <summary>Whether a person has asked for the next sign-in by the command <c>login</c>. Then the credential is stored even after a sign-out.</summary>
    public bool IsLogin { get; set; }

    /// <summary>Whether the operator has named the authorization server.</summary>
    public bool KnowsServer => _policy.Server.IsGiven;

    /// <summary>Whether other processes can change the store.</summary>
    public bool IsShared => _store.IsShared;

    /// <summary>Whether the last attempt showed a person where to sign in. If it did and failed, wrong settings are most likely not the cause.</summary>
    public bool WasPersonAsked => _invitation.WasShown;

    private bool NeedsPerson => ScopeChoice.IsForAPerson(_policy);

    /// <summary>Reads the credential that an earlier run, or another process, has stored; null if there is none that can be used.</summary>
    public Task<HeldCredential?> LoadAsync(CancellationToken cancellationToken) => _kept.LoadAsync(cancellationToken);

    /// <summary>Checks whether a process has written the store. If none has, the check takes only one system call.</summary>
    /// <returns>The entry as it is now; null if the store has not been written since the last check.</returns>
    /// <exception cref="OAuthException">The store cannot be read.</exception>
    public Task<StoreNews?> LookAsync(CancellationToken cancellationToken) => _kept.LookAsync(cancellationToken);

    /// <summary>Signs in before any request has come. The policy, or else the target's answer to a test request, says where to sign in.</summary>
    /// <param name="known">The credential that this process has already; null if it has none.</param>
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

    /// <summary>Finds the authorization server that protects a resource, and what a token for this resource needs.</summary>
    public Task<Protection> DiscoverAsync(Uri resource, Challenge? challenge, CancellationToken cancellationToken) =>
        _discovery.FindAsync(resource, challenge, cancellationToken);

    /// <summary>Returns the scopes that a sign-in asks for.</summary>
    public IReadOnlyList<string> ScopesFor(Protection protection, Challenge? challenge, IEnumerable<string> askedBefore) =>
        ScopeChoice.For(_policy, protection, challenge, askedBefore);

    /// <summary>Signs in, within the time limit for a sign-in, and stores the result.</summary>
    /// <remarks>
    /// Only one process at a time asks a person to sign in, and there is only one browser window at a time. Other processes with the same target wait and use
    /// the result. The time limit for the sign-in starts after this wait.
    /// </remarks>
    /// <param name="protection">The authorization server, and the resource that the token is for.</param>
    /// <param name="scopes">The scopes to ask for.</param>
    /// <param name="known">The credential that this process has. If another process has stored a newer one that can be used, that one is returned.</param>
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

    /// <summary>Renews a credential. If another process has renewed it meanwhile, returns the renewed one.</summary>
    /// <exception cref="OAuthException">The credential cannot be renewed.</exception>
    public Task<HeldCredential> RenewAsync(HeldCredential old, CancellationToken cancellationToken) => _renewal.RenewAsync(old, cancellationToken);

    /// <summary>Signs in again at the same server, without discovery. Only for grants in which no person has to act.</summary>
    public async Task<HeldCredential> ObtainAgainAsync(HeldCredential old, CancellationToken cancellationToken)
    {
        IssuedCredential issued = old.Issued;
        var protection = new Protection(issued.Server, IsOperators: false, issued.Resource, issued.ResourcePath ?? "/", ScopesSupported: []);
        return await ObtainAsync(protection, issued.Scopes, old, cancellationToken).ConfigureAwait(false);
    }

    /// <summary>Deletes the stored credential, so that other processes stop using it too, and revokes it if the server supports that (RFC 7009).</summary>
    /// <returns>Whether there was a credential.</returns>
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

            // Every sign-in with client credentials is for the same client, so all have the same value. With other grants, a later sign-in may be for somebody
            // else, for example because the assertion file has changed.
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
                // A server that has forgotten a client shows the person an error page and does not send the browser back. So after a timeout the registration
                // is dropped, and the next sign-in makes a new one.
                await _clients.ForgetAsync(protection.Server, cancellationToken).ConfigureAwait(false);
            }

            string message = NeedsPerson
                ? $"Nobody completed the sign-in within {timeout}. The next request, or `mcpproxyfast login`, starts another. If the browser showed an "
                + "error, its text says what the server refused: the client id, the redirect URI, the scopes or the resource."
                : $"The sign-in took longer than {timeout}.";
            throw new OAuthException(NeedsPerson ? OAuthFailure.GrantLost : OAuthFailure.Transient, "sign-in-timed-out", message, failure);
        }
    }

    // If the server has forgotten the registered client, the client is registered again and the flow is run once more.
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
            // The cause of the failure may be that the wrong server was asked. So the message says how the server was found.
            string found = protection.IsGuessed
                ? "The authorization server publishes no metadata, so its endpoints were guessed; set OAuthPolicy.Server to name it. "
                    + $"Tried: {protection.FoundBy}."
                : $"The authorization server was found by: {protection.FoundBy}.";
            throw failure.Saying($"{failure.Message} {found}");
        }
    }

    private static IEnumerable<Uri> OperatorUrls(OAuthPolicy policy)
    {
        Uri? provider = policy.Grant is OAuthGrant.IdentityAssertion grant ? grant.IdpTokenUrl : null;
        return new[] { UrlRule.Parse(policy.Server.Issuer), policy.Server.AuthorizeUrl, policy.Server.TokenUrl, provider }.OfType<Uri>();
    }
}
