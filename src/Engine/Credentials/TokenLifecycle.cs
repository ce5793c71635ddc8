using McpProxyFast.OAuth;
using McpProxyFast.OAuth.Discovery;
using McpProxyFast.OAuth.Grants;
using McpProxyFast.OAuth.Net;
using McpProxyFast.OAuth.Store;
using McpProxyFast.Outcomes;
using Microsoft.Extensions.Logging;

namespace McpProxyFast.Credentials;

/// <summary>Holds the token and its line, renews them ahead of their end, and makes every attempt to obtain another.</summary>
internal sealed class TokenLifecycle : IAsyncDisposable
{
    // A person is not asked again so soon for a token that the upstream then refuses as well.
    private static readonly TimeSpan MinSignInInterval = TimeSpan.FromMinutes(5);

    private readonly OAuthPolicy _policy;
    private readonly AuthorizationClient _client;
    private readonly CredentialScope _scope;
    private readonly string _target;
    private readonly TimeProvider _clock;
    private readonly ILogger _logger;
    private readonly AsyncMutex _mutex = new();
    private readonly TriedScopes _tried;
    private readonly RenewalTimer _renewal;

    // Written by the one attempt that holds the mutex, read by every request.
    private volatile CredentialLine? _line;
    private volatile IssuedCredential? _issued;
    private volatile FailureState? _failure;
    private DateTimeOffset _signedInAt = DateTimeOffset.MinValue;

    // What came from the store and may be long dead: its refusal is answered by a renewal even where a request has been replayed with it.
    private IssuedCredential? _adopted;

    public TokenLifecycle(OAuthPolicy policy, Uri target, CredentialScope scope, AuthorizationClient client, TimeProvider clock, ILogger logger)
    {
        _policy = policy;
        _client = client;
        _scope = scope;
        _target = WellKnown.Origin(target);
        _clock = clock;
        _logger = logger;
        _tried = new TriedScopes(clock);
        _renewal = new RenewalTimer(clock, RenewAheadAsync, logger);
    }

    public CredentialLine? Current => _line is { } line && line.IsGoodAt(_clock.GetUtcNow()) ? line : null;

    /// <summary>Whether a credential is held or being obtained, so that requests have something to wait for.</summary>
    public bool IsAtWork => _issued is not null || _mutex.IsTaken;

    /// <summary>What to say while no further attempt may be made yet, or null.</summary>
    public CredentialResult? Pause => _failure is { } failure && failure.RetryAt > _clock.GetUtcNow() ? failure.ToResult(_clock.GetUtcNow()) : null;

    public bool IsNewerThan(CredentialLine? used) => Current is { } line && !ReferenceEquals(line.Token, used?.Token);

    /// <summary>Takes over what an earlier run has left and, where there is nothing and it is wanted, signs in; a failure is the caller's to see.</summary>
    public Task StartAsync(bool signsIn, CancellationToken cancellationToken) => _mutex.RunAsync(async lifetime =>
    {
        using var linked = CancellationTokenSource.CreateLinkedTokenSource(lifetime, cancellationToken);
        await AdoptAsync(linked.Token).ConfigureAwait(false);
        try
        {
            if (signsIn && _issued is null && await _client.ObtainFromTargetAsync(linked.Token).ConfigureAwait(false) is { } issued)
            {
                Accept(issued);
            }
        }
        catch (OAuthException failure)
        {
            // Requests that wait for this attempt are told why it failed; they do not start another at once.
            _failure = FailureState.After(_failure, failure, _clock.GetUtcNow());
            throw;
        }
    });

    /// <summary>Obtains a token because there is none, or the one there was has ended.</summary>
    public Task RestoreAsync() => AttemptAsync(async cancellationToken =>
    {
        await AdoptAsync(cancellationToken).ConfigureAwait(false);
        if (Current is not null || (_issued is { } issued && await TryRenewAsync(issued, cancellationToken).ConfigureAwait(false)))
        {
            return;
        }

        if (_scope.Resource is { } resource)
        {
            await SignInAsync(resource, challenge: null, _issued?.Scopes ?? [], cancellationToken).ConfigureAwait(false);
        }
    });

    /// <summary>Obtains a token because the upstream refuses the one it was shown, or wants one.</summary>
    /// <remarks>The target is asked anew who protects it: where that has changed, nothing of the old server's is of use.</remarks>
    public Task ReplaceAsync(UpstreamChallenge challenge, Challenge? asked) => AttemptAsync(async cancellationToken =>
    {
        await AdoptAsync(cancellationToken).ConfigureAwait(false);
        if (IsNewerThan(challenge.Used) || _scope.Ask(challenge.Request.Url) is not { } resource)
        {
            return;
        }

        Protection protection = await _client.DiscoverAsync(resource, asked, cancellationToken).ConfigureAwait(false);
        IssuedCredential? old = _issued is { } issued && IsSameServer(issued.Server, protection.Server) ? issued : null;
        bool mayRenew = challenge.Attempt == 0 || ReferenceEquals(old, _adopted);
        if (old is not null && mayRenew && await TryRenewAsync(old, cancellationToken).ConfigureAwait(false))
        {
            return;
        }

        bool isCheap = challenge.Attempt == 0 && !ScopeChoice.IsForAPerson(_policy);
        if (old is not null && !isCheap && _clock.GetUtcNow() - _signedInAt < MinSignInInterval)
        {
            throw OAuthException.Refused(
                "credential-refused",
                $"The upstream refuses the token that {protection.Server.Issuer} has just issued for it; check its audience and the account's rights.");
        }

        await SignInAsync(protection, asked, old?.Scopes ?? [], cancellationToken).ConfigureAwait(false);
    });

    /// <summary>Obtains a token with more scopes, unless that very set has been tried lately.</summary>
    public Task StepUpAsync(UpstreamChallenge challenge, Challenge asked) => AttemptAsync(async cancellationToken =>
    {
        string[] before = [.. _issued?.Scopes ?? []];
        string[] wanted = ScopeChoice.Split(asked.Scope);
        bool isDone = IsNewerThan(challenge.Used) && wanted.All(before.Contains);
        if (isDone || _scope.Ask(challenge.Request.Url) is not { } resource || !_tried.TryBegin(before.Concat(wanted)))
        {
            return;
        }

        _logger.MoreScopes(_target, Printable.Of(asked.Scope ?? "(unnamed)"));
        await SignInAsync(resource, asked, before, cancellationToken).ConfigureAwait(false);
    });

    public async ValueTask DisposeAsync()
    {
        await _renewal.DisposeAsync().ConfigureAwait(false);
        await _mutex.DisposeAsync().ConfigureAwait(false);
        _client.Dispose();
    }

    private static bool IsSameServer(ServerMetadata one, ServerMetadata other) => one.Issuer == other.Issuer && one.TokenEndpoint == other.TokenEndpoint;

    private Task AttemptAsync(Func<CancellationToken, Task> attempt) =>
        _mutex.RunAsync(lifetime => Pause is null ? GuardAsync(attempt, lifetime) : Task.CompletedTask);

    // The one edge: every attempt ends in a state that requests can read, a line or a failure.
    private async Task GuardAsync(Func<CancellationToken, Task> attempt, CancellationToken cancellationToken)
    {
        try
        {
            await attempt(cancellationToken).ConfigureAwait(false);
        }
        catch (OAuthException failure)
        {
            Fail(failure);
        }
        catch (Exception failure) when (!cancellationToken.IsCancellationRequested)
        {
            // The message of an unexpected exception may quote what was being handled, so only its kind is told.
            Fail(new OAuthException(OAuthFailure.Transient, "sign-in-failed", $"The credential could not be obtained ({failure.GetType().Name}).", failure));
        }
    }

    private void Fail(OAuthException failure)
    {
        _failure = FailureState.After(_failure, failure, _clock.GetUtcNow());
        _logger.NoCredential(_target, failure.Message);
    }

    // What an earlier run, or another process, has left in the store.
    private async Task AdoptAsync(CancellationToken cancellationToken)
    {
        if (_issued is null && await _client.LoadAsync(cancellationToken).ConfigureAwait(false) is { } kept && TrySettle(kept))
        {
            _adopted = kept;
            Publish(kept);
        }
    }

    // Of a bare origin, what is not known to be for a resource of it is used for none.
    private bool TrySettle(IssuedCredential kept)
    {
        if (kept.ResourcePath is { } path)
        {
            _scope.Settle(path);
        }

        return _scope.Resource is not null;
    }

    /// <returns>Whether there is a token to use; if not, only a new sign-in leads to one.</returns>
    private async Task<bool> TryRenewAsync(IssuedCredential issued, CancellationToken cancellationToken)
    {
        try
        {
            Publish(await _client.RenewAsync(issued, cancellationToken).ConfigureAwait(false));
            return true;
        }
        catch (OAuthException failure) when (failure.Failure is OAuthFailure.GrantLost or OAuthFailure.ClientUnknown)
        {
            // What the server will not take again is not shown to it again; the access token is used for as long as it lives.
            _issued = issued with { Tokens = issued.Tokens with { RefreshToken = null } };
            _failure = null;
            _logger.NotRenewable(_target, failure.Message);
            return false;
        }
    }

    private async Task SignInAsync(Uri resource, Challenge? challenge, IEnumerable<string> askedBefore, CancellationToken cancellationToken)
    {
        Protection protection = await _client.DiscoverAsync(resource, challenge, cancellationToken).ConfigureAwait(false);
        await SignInAsync(protection, challenge, askedBefore, cancellationToken).ConfigureAwait(false);
    }

    private async Task SignInAsync(Protection protection, Challenge? challenge, IEnumerable<string> askedBefore, CancellationToken cancellationToken)
    {
        IReadOnlyList<string> scopes = _client.ScopesFor(protection, challenge, askedBefore);
        IssuedCredential issued = await _client.ObtainAsync(protection, scopes, cancellationToken).ConfigureAwait(false);
        Accept(issued);
    }

    private void Accept(IssuedCredential issued)
    {
        _signedInAt = _clock.GetUtcNow();
        _tried.Remember(issued.Scopes);
        Publish(issued);
    }

    private Task RenewAheadAsync() => _mutex.RunAsync(async cancellationToken =>
    {
        // While this waited for the mutex a request may have renewed it; then the schedule is another one already.
        if (_issued is not { } due || !_renewal.IsDue())
        {
            return;
        }

        _renewal.Set(null);
        await GuardAsync(token => RenewOrReplaceAsync(due, token), cancellationToken).ConfigureAwait(false);
        if (_failure is { } failure && _issued is { } kept && CanRenewAlone(kept))
        {
            // Whatever the server answered: it may answer better later, and what nobody can mend waits ever longer.
            _renewal.Set(failure.RetryAt);
        }
    });

    // Where nobody has to act, a lost grant is replaced at once; where a person has to, the sign-in waits for a request that needs it.
    private async Task RenewOrReplaceAsync(IssuedCredential due, CancellationToken cancellationToken)
    {
        bool isRenewed = due.Tokens.RefreshToken is not null && await TryRenewAsync(due, cancellationToken).ConfigureAwait(false);
        if (!isRenewed && !ScopeChoice.IsForAPerson(_policy))
        {
            Publish(await _client.ObtainAgainAsync(due, cancellationToken).ConfigureAwait(false));
        }
    }

    private void Publish(IssuedCredential issued)
    {
        TokenSet tokens = issued.Tokens;
        _scope.Settle(issued.ResourcePath ?? "/");
        _issued = issued;
        _failure = null;

        _renewal.Set(tokens.ExpiresAt is { } end && CanRenewAlone(issued) ? RenewalSchedule.DueAt(tokens.IssuedAt, end) : null);

        // Last: a request that sees the new line can count on its renewal.
        _line = CredentialLine.For($"{tokens.TokenType} {tokens.AccessToken}", RenewalSchedule.EndOfUse(tokens.IssuedAt, tokens.ExpiresAt), issued);
    }

    // Without a refresh token a person would have to act, and is only asked to when a request needs it.
    private bool CanRenewAlone(IssuedCredential issued) => issued.Tokens.RefreshToken is not null || !ScopeChoice.IsForAPerson(_policy);
}
