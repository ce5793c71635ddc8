using McpProxyFast.OAuth;
using McpProxyFast.OAuth.Discovery;
using McpProxyFast.OAuth.Grants;
using McpProxyFast.OAuth.Net;
using McpProxyFast.Outcomes;
using Microsoft.Extensions.Logging;

namespace McpProxyFast.Credentials;

/// <summary>Makes all attempts to obtain a token for the upstream: restores a stored one, renews, signs in, and asks for more scopes.</summary>
/// <remarks>
/// There are three mutexes, because each kind of work waits for something different. Handling a 401 waits for discovery, renewing (<see cref="Renewals"/>)
/// waits for the token endpoint, and signing in waits for a person, who may never come. If no person is needed, renewing and signing in share one mutex.
/// </remarks>
internal sealed class TokenLifecycle : IAsyncDisposable
{
    /// <summary>Makes the requests to the authorization server. Valid until disposed of.</summary>
    private readonly AuthorizationClient _client;

    /// <summary>Decides which requests get the credential.</summary>
    private readonly CredentialScope _scope;

    /// <summary>Whether a person has to act in a sign-in. Never changes.</summary>
    private readonly bool _needsPerson;

    /// <summary>The target's origin, for the log. Never changes.</summary>
    private readonly string _target;

    /// <summary>Logs what a person must know. Never changes.</summary>
    private readonly ILogger _logger;

    /// <summary>A mutex that is held while a 401 from the upstream is handled, except for the sign-in. Valid until disposed of.</summary>
    private readonly AsyncMutex _answering = new();

    /// <summary>
    /// The current token and its renewals. Their mutex may be taken while <see cref="_answering"/> is held, but not the other way round. Valid until disposed
    /// of.
    /// </summary>
    private readonly Renewals _renewals;

    /// <summary>
    /// A mutex that is held during a sign-in. If no person is needed, it is the mutex of the renewals. It is never taken while another mutex is held.
    /// </summary>
    private readonly AsyncMutex _signingIn;

    /// <summary>Makes the attempts to handle a 401 without a sign-in, with a pause after each failure.</summary>
    private readonly Attempts _answers;

    /// <summary>Makes the sign-ins, with a pause after each failure.</summary>
    private readonly Attempts _signIns;

    /// <summary>Remembers recent sign-ins.</summary>
    private readonly RecentSignIns _recent;

    /// <summary>Checks whether other processes have changed the store.</summary>
    private readonly StoreWatch _watch;

    /// <summary>
    /// Whether the upstream has refused a token that had just been renewed. Then the token is not renewed again until there is a new sign-in.
    /// </summary>
    private volatile bool _isRenewedInVain;

    /// <summary>Whether the upstream answered at the start without asking for a token. False again once it asks for one, or there is a credential.</summary>
    private volatile bool _asksForNothing;

    public TokenLifecycle(OAuthPolicy policy, Uri target, CredentialScope scope, AuthorizationClient client, TimeProvider clock, ILogger logger)
    {
        _client = client;
        _scope = scope;
        _needsPerson = ScopeChoice.IsForAPerson(policy);
        _target = WellKnown.Origin(target);
        _logger = logger;
        _renewals = new Renewals(client, scope, _needsPerson, _target, clock, logger);
        _signingIn = _needsPerson ? new AsyncMutex() : _renewals.Turn;
        _answers = new Attempts(_target, clock, logger);
        _signIns = new Attempts(_target, clock, logger);
        _recent = new RecentSignIns(clock);
        _watch = new StoreWatch(client, _renewals.Token, TakeOver, _target, clock, logger);
    }

    public CredentialLine? Current => _renewals.Token.Line;

    /// <summary>Whether there is a credential, or an attempt to obtain one is running. If not, requests have nothing to wait for.</summary>
    public bool IsAtWork => Held is not null || _answering.IsTaken || _renewals.Turn.IsTaken || _signingIn.IsTaken;

    /// <summary>Whether the proxy waits for a person to sign in.</summary>
    public bool IsWaitingForPerson => _needsPerson && _signingIn.IsTaken;

    /// <summary>Whether the upstream answered at the start without asking for a token. False again once it asks for one, or there is a credential.</summary>
    public bool AsksForNothing => _asksForNothing;

    /// <summary>The answer for requests as long as the pause after a failure lasts; null if there is no pause, so that an attempt may be made.</summary>
    public CredentialResult? Pause => CanRenew
        ? _renewals.Attempts.Pause ?? _answers.Pause ?? _signIns.Pause
        : _signIns.Pause ?? _answers.Pause ?? _renewals.Attempts.Pause;

    private HeldCredential? Held => _renewals.Token.Held;

    private bool CanRenew => !_isRenewedInVain && Held is { Tokens.RefreshToken: not null };

    public bool IsNewerThan(CredentialLine? used) => Current is { } line && !ReferenceEquals(line.Token, used?.Token);

    /// <summary>
    /// Takes over the credential that an earlier run has stored. If there is none and <paramref name="signsIn"/> is true, signs in. A failure is thrown.
    /// </summary>
    /// <remarks>
    /// If a person was asked to sign in, a failure is not thrown: the proxy keeps running, and a later request asks the person again. But if the server does
    /// not know the client, it is thrown in any case.
    /// </remarks>
    public Task StartAsync(bool signsIn, CancellationToken cancellationToken)
    {
        _watch.Start();
        return _signingIn.RunAsync(async lifetime =>
        {
            using var linked = CancellationTokenSource.CreateLinkedTokenSource(lifetime, cancellationToken);
            await AdoptAsync(linked.Token).ConfigureAwait(false);
            return signsIn && Held is null && await SignInAtStartAsync(linked.Token).ConfigureAwait(false);
        });
    }

    /// <summary>Obtains a token because there is none, or the last one has expired. Does not sign in at an upstream that asks for nothing.</summary>
    public async Task RestoreAsync()
    {
        if (await _renewals.RestoreAsync(AdoptAsync).ConfigureAwait(false) is not false || _scope.Resource is not { } resource)
        {
            return;
        }

        await _signingIn.RunAsync(lifetime => _signIns.TryAsync(
            async () =>
            {
                if (Current is null && !_asksForNothing) // the start may have found that out while this request waited for its turn
                {
                    Protection protection = await _client.DiscoverAsync(resource, challenge: null, lifetime).ConfigureAwait(false);
                    await SignInAsync(protection, challenge: null, Held?.Issued.Scopes ?? [], lifetime).ConfigureAwait(false);
                }

                return true;
            },
            lifetime)).ConfigureAwait(false);
    }

    /// <summary>Obtains a token because the upstream has refused the one that was sent, or has asked for one.</summary>
    /// <remarks>Discovery is made again. If another server protects the target now, nothing from the old server is used.</remarks>
    public async Task ReplaceAsync(UpstreamChallenge challenge, Challenge? asked)
    {
        _asksForNothing = false;
        SignInNeed need = await _answering.RunAsync(
            lifetime => _answers.TryAsync(() => AnswerAloneAsync(challenge, asked, lifetime), lifetime)).ConfigureAwait(false) ?? SignInNeed.None;
        if (!need.IsThere)
        {
            return;
        }

        await _signingIn.RunAsync(lifetime => _signIns.TryAsync(
            async () =>
            {
                if (!IsNewerThan(challenge.Used) && _scope.Ask(challenge.Request.Url) is { } resource)
                {
                    Protection protection = need.Where ?? await _client.DiscoverAsync(resource, asked, lifetime).ConfigureAwait(false);
                    await SignInAsync(protection, asked, HeldAt(protection)?.Issued.Scopes ?? [], lifetime).ConfigureAwait(false);
                }

                return true;
            },
            lifetime)).ConfigureAwait(false);
    }

    /// <summary>Obtains a token with more scopes, unless the same set of scopes has been asked for recently.</summary>
    public Task StepUpAsync(UpstreamChallenge challenge, Challenge asked) => _signingIn.RunAsync(lifetime => _signIns.TryAsync(
        async () =>
        {
            string[] before = [.. Held?.Issued.Scopes ?? []];
            string[] wanted = ScopeChoice.Split(asked.Scope);
            bool isDone = IsNewerThan(challenge.Used) && wanted.All(before.Contains);
            if (isDone || _scope.Ask(challenge.Request.Url) is not { } resource || !_recent.TryBegin(before.Concat(wanted)))
            {
                return false;
            }

            _logger.MoreScopes(_target, Printable.Of(asked.Scope ?? "(unnamed)"));
            Protection protection = await _client.DiscoverAsync(resource, asked, lifetime).ConfigureAwait(false);
            await SignInAsync(protection, asked, before, lifetime).ConfigureAwait(false);
            return true;
        },
        lifetime));

    public async ValueTask DisposeAsync()
    {
        await _watch.DisposeAsync().ConfigureAwait(false);

        // All mutexes are disposed of at the same time, since an attempt that holds one may be waiting for another.
        AsyncMutex[] turns = _needsPerson ? [_answering, _signingIn] : [_answering];
        await Task.WhenAll([.. turns.Select(turn => turn.DisposeAsync().AsTask()), _renewals.DisposeAsync().AsTask()]).ConfigureAwait(false);
        _client.Dispose();
    }

    private async Task<bool> SignInAtStartAsync(CancellationToken cancellationToken)
    {
        try
        {
            if (await _client.ObtainFromTargetAsync(known: null, cancellationToken).ConfigureAwait(false) is { } obtained)
            {
                Accept(obtained);
            }
            else
            {
                _asksForNothing = true;
            }

            return true;
        }
        catch (OAuthException failure)
        {
            // If a person was asked, the proxy keeps running. Waiting requests get this failure, and the person is asked again only after a pause.
            bool livesOn = _client.WasPersonAsked && failure.Failure is not OAuthFailure.ClientUnknown;
            _signIns.Failed(failure, isReported: !livesOn);
            if (!livesOn)
            {
                throw;
            }

            return false;
        }
    }

    // Takes over the credential that an earlier run, or another process, has stored.
    private async Task AdoptAsync(CancellationToken cancellationToken)
    {
        if (Held is null && await _client.LoadAsync(cancellationToken).ConfigureAwait(false) is { } kept)
        {
            TakeOver(kept);
        }
    }

    // A credential is used only if it is for this target's resource. An entry of an older version does not say which resource it is for; it is used only if the
    // resource is known from elsewhere.
    private void TakeOver(HeldCredential kept)
    {
        bool isOurs = kept.Issued.ResourcePath is { } path ? _scope.TrySettle(path) : _scope.Resource is not null;
        if (isOurs)
        {
            Refresh(kept);
        }
    }

    private async Task<SignInNeed?> AnswerAloneAsync(UpstreamChallenge challenge, Challenge? asked, CancellationToken cancellationToken)
    {
        await AdoptAsync(cancellationToken).ConfigureAwait(false);
        bool canRenew = CanRenew;
        Attempts next = canRenew ? _renewals.Attempts : _signIns;
        if (IsNewerThan(challenge.Used) || next.Pause is not null || _scope.Ask(challenge.Request.Url) is not { } resource)
        {
            return SignInNeed.None;
        }

        if (!canRenew && IsWaitingForPerson)
        {
            return SignInNeed.AlreadyAsked;
        }

        Protection protection = await _client.DiscoverAsync(resource, asked, cancellationToken).ConfigureAwait(false);
        if (IsNewerThan(challenge.Used))
        {
            return SignInNeed.None; // during the discovery, the credential of another process was taken over from the store
        }

        HeldCredential? old = HeldAt(protection);
        bool mayRenew = canRenew && (challenge.Attempt == 0 || old?.IsFromStore == true);
        if (old is not null && mayRenew)
        {
            return await _renewals.ReplaceAsync(old).ConfigureAwait(false) is false ? SignInNeed.At(protection) : SignInNeed.None;
        }

        _isRenewedInVain |= old is not null && canRenew;
        bool isCheap = challenge.Attempt == 0 && !_needsPerson;
        return old is null || isCheap || !_recent.IsSignedIn
            ? SignInNeed.At(protection)
            : throw OAuthException.Refused(
                "credential-refused",
                $"The upstream refuses a token that {protection.Server.Issuer} has just issued. If the token's audience is wrong, set OAuthPolicy.Resource; "
                + "if it lacks scopes, set OAuthPolicy.Scopes; otherwise check that the account may use the upstream.");
    }

    private HeldCredential? HeldAt(Protection protection) =>
        Held is { Issued.Server: var server } held
            && server.Issuer == protection.Server.Issuer && server.TokenEndpoint == protection.Server.TokenEndpoint ? held : null;

    private async Task SignInAsync(Protection protection, Challenge? challenge, IEnumerable<string> askedBefore, CancellationToken cancellationToken)
    {
        IReadOnlyList<string> scopes = _client.ScopesFor(protection, challenge, askedBefore);
        Accept(await _client.ObtainAsync(protection, scopes, Held, cancellationToken).ConfigureAwait(false));
    }

    private void Accept(HeldCredential obtained)
    {
        _recent.Remember(obtained.Issued.Scopes);
        Refresh(obtained);
    }

    // Earlier failures say nothing about the new token, so they are forgotten.
    private void Refresh(HeldCredential obtained)
    {
        (_isRenewedInVain, _asksForNothing) = (false, false);
        _answers.Succeeded();
        _signIns.Succeeded();
        _renewals.Publish(obtained);
    }
}
