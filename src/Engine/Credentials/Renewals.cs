using McpProxyFast.OAuth;
using McpProxyFast.OAuth.Net;
using McpProxyFast.Outcomes;
using Microsoft.Extensions.Logging;

namespace McpProxyFast.Credentials;

/// <summary>Renews the current token: before it expires, after it has expired, and when the upstream refuses it. A renewal never waits for a person.</summary>
internal sealed class Renewals : IAsyncDisposable
{
    /// <summary>Makes the requests to the authorization server. <see cref="TokenLifecycle"/> disposes of it.</summary>
    private readonly AuthorizationClient _client;

    /// <summary>Decides which requests get the credential.</summary>
    private readonly CredentialScope _scope;

    /// <summary>Whether a person has to sign in if there is no refresh token. Never changes.</summary>
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

    /// <summary>A mutex that is held during a renewal. Valid until disposed of.</summary>
    public AsyncMutex Turn { get; } = new();

    /// <summary>Makes the renewals, with a pause after each failure.</summary>
    public Attempts Attempts { get; }

    /// <summary>The current token. Valid until disposed of.</summary>
    public HeldToken Token { get; }

    /// <summary>Makes sure that there is a token that can be sent: takes over the stored one, or renews an expired one.</summary>
    /// <param name="adopt">Called first. Takes over the stored credential if this process has none.</param>
    /// <returns>True if there is a token that can be sent; false if only a new sign-in can get one; null if an attempt has failed or must wait.</returns>
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

    /// <returns>True if the token has been renewed; false if only a new sign-in can get one.</returns>
    private async Task<bool> TryRenewAsync(HeldCredential held, CancellationToken cancellationToken)
    {
        try
        {
            Publish(await _client.RenewAsync(held, cancellationToken).ConfigureAwait(false));
            return true;
        }
        catch (OAuthException failure) when (failure.Failure is OAuthFailure.GrantLost or OAuthFailure.ClientUnknown)
        {
            // The refresh token is not sent again. The access token stays in use until it expires.
            Token.DropRefreshToken(held);
            Attempts.Succeeded();
            _logger.NotRenewable(_target, failure.Message);
            return false;
        }
    }

    private Task<bool> RenewAheadAsync() => Turn.RunAsync(async lifetime =>
    {
        // While this renewal waited for the mutex, a request may have renewed the token. Then no renewal is due any more.
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

    // If the refresh token no longer works, and no person is needed, a new token is requested at once. If a person is needed, the sign-in waits for a request
    // that needs a token.
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
