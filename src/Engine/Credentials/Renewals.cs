using McpProxyFast.OAuth;
using McpProxyFast.OAuth.Net;
using McpProxyFast.Outcomes;
using Microsoft.Extensions.Logging;

namespace McpProxyFast.Credentials;

/// <summary>Renews the current token: before it expires, after it has expired, and when the upstream refuses it. A renewal never waits for a person.</summary>
internal sealed class Renewals : IAsyncDisposable
{
    /// <summary>Makes the requests to the authorization server. The lifecycle disposes of it.</summary>
    private readonly AuthorizationClient _client;

    /// <summary>Decides which requests get the credential.</summary>
    private readonly CredentialScope _scope;

    /// <summary>Whether a person has to act if there is no refresh token. Never changes.</summary>
    private readonly bool _needsPerson;

    /// <summary>The target's origin, for the log. Never changes.</summary>
    private readonly string _target;

    /// <summary>Logs what a person must know. Never changes.</summary>
    private readonly ILogger _logger;

    public Renewals(AuthorizationClient client, CredentialScope scope, bool needsPerson, string target, TimeProvider clock, ILogger logger)
    {
        (_client, _scope, _needsPerson, _target, _logger) = (client, scope, needsPerson, target, logger);
        Attempts = new Attempts(target, clock, logger);
        Token = new HeldToken(needsPerson, RenewAheadAsync, clock, logger);
    }

    /// <summary>A mutex that is held during a renewal.</summary>
    public AsyncMutex Turn { get; } = new();

    /// <summary>Runs the renewals, with pauses after failures.</summary>
    public Attempts Attempts { get; }

    /// <summary>The current token.</summary>
    public HeldToken Token { get; }

    /// <summary>Makes sure that there is a token to use.</summary>
    /// <param name="adopt">Takes over the stored credential. Called if this process has none.</param>
    /// <returns>True if there is a token; false if only a new sign-in can get one; null if none can be obtained now.</returns>
    public Task<bool?> RestoreAsync(Func<CancellationToken, Task> adopt) => TryAsync(async lifetime =>
    {
        await adopt(lifetime).ConfigureAwait(false);
        return Token.Line is not null || (Token.Held is { } held && await TryRenewAsync(held, lifetime).ConfigureAwait(false));
    });

    /// <summary>Renews a token that the upstream has refused, unless another renewal has replaced it meanwhile.</summary>
    /// <returns>The same as <see cref="RestoreAsync"/>.</returns>
    public Task<bool?> ReplaceAsync(HeldCredential refused) => TryAsync(async lifetime =>
        (Token.Line is not null && !refused.Is(Token.Held)) || await TryRenewAsync(refused, lifetime).ConfigureAwait(false));

    /// <summary>Replaces the current token.</summary>
    public void Publish(HeldCredential held)
    {
        _scope.Settle(held.Issued.ResourcePath ?? "/");
        Attempts.Succeeded();
        Token.Replace(held);
    }

    public async ValueTask DisposeAsync()
    {
        await Token.DisposeAsync().ConfigureAwait(false);
        await Turn.DisposeAsync().ConfigureAwait(false);
    }

    private Task<bool?> TryAsync(Func<CancellationToken, Task<bool>> attempt) => Turn.RunAsync(lifetime =>
        Attempts.TryAsync<bool?>(async () => await attempt(lifetime).ConfigureAwait(false), lifetime));

    /// <returns>Whether there is a token to use. If not, only a new sign-in can get one.</returns>
    private async Task<bool> TryRenewAsync(HeldCredential held, CancellationToken cancellationToken)
    {
        try
        {
            Publish(await _client.RenewAsync(held, cancellationToken).ConfigureAwait(false));
            return true;
        }
        catch (OAuthException failure) when (failure.Failure is OAuthFailure.GrantLost or OAuthFailure.ClientUnknown)
        {
            // The refresh token is not sent again. The access token is used until it expires.
            Token.DropRefreshToken(held);
            Attempts.Succeeded();
            _logger.NotRenewable(_target, failure.Message);
            return false;
        }
    }

    private Task<bool> RenewAheadAsync() => Turn.RunAsync(async lifetime =>
    {
        // While this renewal waited, a request may have renewed the token. Then no token is due any more.
        if (Token.TakeDue() is { } due)
        {
            await Attempts.TryAsync(() => RenewOrReplaceAsync(due, lifetime), lifetime).ConfigureAwait(false);
            if (Attempts.LeftToWait is { } pause)
            {
                // After every failure the renewal is tried again, since it may succeed later. The pauses grow, so a lasting failure costs little.
                Token.RetryAfter(pause);
            }
        }

        return true;
    });

    // If the grant is lost and no person has to act, it is replaced at once. If a person has to act, the sign-in waits for a request that needs a token.
    private async Task<bool> RenewOrReplaceAsync(HeldCredential due, CancellationToken cancellationToken)
    {
        bool isRenewed = due.Tokens.RefreshToken is not null && await TryRenewAsync(due, cancellationToken).ConfigureAwait(false);
        if (!isRenewed && !_needsPerson)
        {
            Publish(await _client.ObtainAgainAsync(due, cancellationToken).ConfigureAwait(false));
        }

        return true;
    }
}
