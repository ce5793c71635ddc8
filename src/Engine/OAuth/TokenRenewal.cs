using System.Net;
using Duende.IdentityModel;
using Duende.IdentityModel.Client;
using McpProxyFast.OAuth.Discovery;
using McpProxyFast.OAuth.Grants;
using McpProxyFast.OAuth.Net;
using McpProxyFast.OAuth.Store;
using McpProxyFast.Outcomes;
using Microsoft.Extensions.Logging;

namespace McpProxyFast.OAuth;

/// <summary>
/// Renews a credential with its refresh token. Only one of the processes that share the store renews at a time. If the store is a file, a refresh token that
/// may be valid for one use only is not sent again after a request that got no answer. After an error that does not end the grant, it is sent again.
/// </summary>
internal sealed class TokenRenewal(
    CredentialEntry kept, StoreLocks turns, ClientRegistry clients, TokenEndpoint tokens, TokenRevocation revocation, TimeProvider clock, ILogger logger)
{
    /// <summary>If the proxy is stopped during a renewal, it waits at most this long for the answer.</summary>
    private static readonly TimeSpan MaxTimeAtEnd = TimeSpan.FromSeconds(10);

    /// <summary>Renews a credential. If another process has renewed it meanwhile, returns the renewed one.</summary>
    /// <param name="held">The credential that this process has.</param>
    /// <param name="cancellationToken">
    /// Cancelled when the proxy is stopped. If a renewal request has already been sent, it may still take <see cref="MaxTimeAtEnd"/>.
    /// </param>
    /// <exception cref="OAuthException">The credential cannot be renewed.</exception>
    public async Task<HeldCredential> RenewAsync(HeldCredential held, CancellationToken cancellationToken)
    {
        using RenewalTurn turn = await turns.TakeRenewalAsync(kept.Name, cancellationToken).ConfigureAwait(false);
        HeldCredential latest = await kept.LatestAsync(held, cancellationToken).ConfigureAwait(false) ?? throw SignedOut();
        if (!latest.Is(held) && !latest.HasEndedAt(clock.GetUtcNow()))
        {
            logger.RenewedElsewhere();
            return latest;
        }

        bool isDropped = latest.Is(held) && held.Tokens.RefreshToken is null; // this process has dropped the refresh token, which no longer works
        if (isDropped || latest.Tokens.RefreshToken is not { } refreshToken)
        {
            throw new OAuthException(OAuthFailure.GrantLost, "not-renewable", "The authorization server gave no refresh token, or has refused it.");
        }

        if (turn.WasShown(refreshToken) && !latest.Tokens.IsRefreshTokenLasting)
        {
            await kept.DropRefreshTokenAsync(latest).ConfigureAwait(false);
            throw new OAuthException(
                OAuthFailure.GrantLost, "renewal-lost",
                "The last renewal got no answer. Its refresh token is not sent again, since the server may accept it only once.");
        }

        turn.Remember(refreshToken);
        TokenSet renewed = await AskAsync(turn, latest, refreshToken, cancellationToken).ConfigureAwait(false);
        return await KeepAsync(latest, renewed, refreshToken).ConfigureAwait(false);
    }

    private static OAuthException SignedOut() =>
        new(OAuthFailure.GrantLost, "signed-out", "Somebody has signed out (`mcpproxyfast logout`), so the credential is not renewed.");

    private async Task<TokenSet> AskAsync(RenewalTurn turn, HeldCredential latest, string refreshToken, CancellationToken cancellationToken)
    {
        try
        {
            return await AskAsync(latest, refreshToken, cancellationToken).ConfigureAwait(false);
        }
        catch (OAuthException failure) when (failure.Failure is OAuthFailure.ClientUnknown && latest.Issued.Client.IsRegistered)
        {
            // The server has forgotten the registered client, so it is registered again before the next sign-in. Otherwise the server would show the person an
            // error page and not send the browser back.
            await kept.DropRefreshTokenAsync(latest).ConfigureAwait(false);
            await clients.ForgetAsync(latest.Issued.Server, CancellationToken.None).ConfigureAwait(false);
            throw;
        }
        catch (OAuthException failure) when (EndsGrant(failure))
        {
            await kept.DropRefreshTokenAsync(latest).ConfigureAwait(false);
            throw new OAuthException(OAuthFailure.GrantLost, "grant-lost", failure.Message, failure);
        }
        catch (OAuthException failure) when (!failure.IsUnanswered)
        {
            turn.Forget(refreshToken);
            throw;
        }
    }

    // If the proxy is stopped, the request is not cancelled but gets a time limit, since the answer may contain the only refresh token that still works.
    private async Task<TokenSet> AskAsync(HeldCredential latest, string refreshToken, CancellationToken cancellationToken)
    {
        using var end = new CancellationTokenSource(Timeout.InfiniteTimeSpan, clock);
        using CancellationTokenRegistration ending = cancellationToken.UnsafeRegister(
            static state => ((CancellationTokenSource)state!).CancelAfter(MaxTimeAtEnd), end);
        var parameters = new Parameters { { "refresh_token", refreshToken } };
        parameters.AddOptional("resource", latest.Issued.Resource);
        try
        {
            return await tokens.AskAsync(
                latest.Issued.Server, latest.Issued.Client, OidcConstants.GrantTypes.RefreshToken, parameters, latest.Key, end.Token).ConfigureAwait(false);
        }
        catch (OperationCanceledException failure) when (end.IsCancellationRequested)
        {
            throw new OAuthException(OAuthFailure.Transient, "server-too-slow", "The proxy was stopped during a renewal.", failure) { IsUnanswered = true };
        }
    }

    private async Task<HeldCredential> KeepAsync(HeldCredential latest, TokenSet renewed, string refreshToken)
    {
        bool isLasting = renewed.RefreshToken is null || renewed.RefreshToken == refreshToken;
        IssuedCredential issued = latest.Issued with
        {
            Tokens = renewed with
            {
                RefreshToken = renewed.RefreshToken ?? refreshToken,
                IsRefreshTokenLasting = isLasting,
                Scope = renewed.Scope ?? latest.Tokens.Scope,
                IdToken = renewed.IdToken ?? latest.Tokens.IdToken, // many servers send no ID token with a renewal
            },
            SignIn = latest.Issued.SignIn ?? IssuedCredential.NewSignIn(),
        };
        if (await kept.KeepRenewedAsync(latest, issued).ConfigureAwait(false) is { } held)
        {
            logger.Renewed(Printable.Url(issued.Server.TokenEndpoint!), issued.Tokens.ToString());
            return held;
        }

        await revocation.RevokeAsync(issued, CancellationToken.None).ConfigureAwait(false);
        throw SignedOut();
    }

    // Whether an error means that the refresh token no longer works. Servers use many error codes for that, and some send the error with the status 200.
    private static bool EndsGrant(OAuthException failure) => failure switch
    {
        { Status: null } or { Failure: OAuthFailure.ClientUnknown } => false,
        { Failure: OAuthFailure.Refused or OAuthFailure.GrantLost } => true,
        { Code: "token-endpoint-unavailable", Status: >= HttpStatusCode.BadRequest and < HttpStatusCode.InternalServerError } =>
            !DiscoveryLog.IsTransient(failure.Status.Value),
        _ => false,
    };
}
