using System.Security.Cryptography.X509Certificates;
using McpProxyFast.OAuth;
using McpProxyFast.OAuth.Net;
using McpProxyFast.OAuth.Store;
using McpProxyFast.Outcomes;
using Microsoft.Extensions.Logging;

namespace McpProxyFast;

/// <summary>Obtains, deletes and lists the credentials in the store of an <see cref="OAuthPolicy"/>. No proxy needs to run.</summary>
public static class StoredCredentials
{
    /// <summary>Signs in now, even if there is a credential already, and writes the new one to the store.</summary>
    /// <remarks>
    /// If another process with the same store is asking a person already, this call waits for that sign-in and returns its result. Tokens of
    /// <see cref="OAuthGrant.JwtBearer"/> and <see cref="OAuthGrant.IdentityAssertion"/> are not written to the store.
    /// </remarks>
    /// <param name="policy">How to sign in. <see cref="OAuthPolicy.Store"/> must be set.</param>
    /// <param name="target">The target, written exactly as for the proxy, since credentials are stored by target.</param>
    /// <param name="logger">Gets the URL that a person must open, and other messages about the sign-in.</param>
    /// <param name="trustedCertificates">Trust anchors besides the system's, as <see cref="McpProxyOptions.TrustedCertificates"/>.</param>
    /// <param name="cancellationToken">Cancels the operation.</param>
    /// <returns>The new entry; null if the target needs no credential.</returns>
    /// <exception cref="ArgumentException">The policy cannot work.</exception>
    /// <exception cref="InvalidOperationException">The sign-in failed, or its result could not be stored; the message says what to do.</exception>
    public static Task<StoredCredential?> LoginAsync(
        OAuthPolicy policy, Uri target, ILogger logger, X509Certificate2Collection? trustedCertificates = null,
            CancellationToken cancellationToken = default) =>
        WithAsync(policy, target, logger, trustedCertificates, async client =>
        {
            HeldCredential? known = await client.LoadAsync(cancellationToken).ConfigureAwait(false);
            client.IsLogin = true;
            HeldCredential? obtained = await client.ObtainFromTargetAsync(known, cancellationToken).ConfigureAwait(false);
            if (obtained is not null && !policy.Grant.IsKept)
            {
                GuardedLogger.Around(logger).GrantNotKept();
            }

            return obtained is null ? null : Describe(target.GetLeftPart(UriPartial.Path), obtained.Issued);
        });

    /// <summary>Deletes the credential of one target and, if the server supports it, revokes it (RFC 7009).</summary>
    /// <param name="policy">The policy with which the credential was obtained.</param>
    /// <param name="target">The target, written exactly as for the proxy.</param>
    /// <param name="logger">Gets a message if the server does not confirm the revocation.</param>
    /// <param name="trustedCertificates">Trust anchors besides the system's, as <see cref="McpProxyOptions.TrustedCertificates"/>.</param>
    /// <param name="cancellationToken">Cancels the operation.</param>
    /// <returns>Whether there was a credential.</returns>
    /// <exception cref="ArgumentException">The policy cannot work.</exception>
    /// <exception cref="InvalidOperationException">The store or the server could not be used.</exception>
    public static Task<bool> LogoutAsync(
        OAuthPolicy policy, Uri target, ILogger logger, X509Certificate2Collection? trustedCertificates = null,
            CancellationToken cancellationToken = default) =>
        WithAsync(policy, target, logger, trustedCertificates, client => client.SignOutAsync(cancellationToken));

    /// <summary>Lists the credentials in the store. No file is changed.</summary>
    /// <param name="store">The store.</param>
    /// <param name="logger">Not used at present: no file is changed.</param>
    /// <param name="cancellationToken">Cancels the operation.</param>
    /// <returns>One entry for each credential. Client registrations without a credential are left out.</returns>
    /// <exception cref="InvalidOperationException">The store could not be used.</exception>
    public static async Task<IReadOnlyList<StoredCredential>> ListAsync(
        CredentialStoreFile store, ILogger logger, CancellationToken cancellationToken = default)
    {
        using CredentialStore kept = CredentialStore.For(store, GuardedLogger.Around(logger));
        try
        {
            IReadOnlyCollection<StoredEntry> entries = await kept.ReadAllAsync(cancellationToken).ConfigureAwait(false);
            return [.. entries.Where(entry => entry.Issued is not null).Select(entry => Describe(entry.Target, entry.Issued!))];
        }
        catch (OAuthException failure)
        {
            throw new InvalidOperationException(failure.Message, failure);
        }
    }

    private static StoredCredential Describe(string target, IssuedCredential issued) => new(
        target,
        issued.Server.Issuer ?? issued.Server.TokenEndpoint!,
        issued.Client.Id,
        issued.Scopes,
        issued.Tokens.ExpiresAt,
        issued.Tokens.RefreshToken is not null);

    private static async Task<T> WithAsync<T>(
        OAuthPolicy policy, Uri target, ILogger logger, X509Certificate2Collection? trustedCertificates, Func<AuthorizationClient, Task<T>> action)
    {
        policy.Validate();
        ILogger guarded = GuardedLogger.Around(logger);
        CredentialStore store = CredentialStore.For(policy, guarded);
        using var client = new AuthorizationClient(policy, target, store, TimeProvider.System, guarded, trustedCertificates);
        try
        {
            T result = await action(client).ConfigureAwait(false);
            return store.Unsaved is { } reason
                ? throw new InvalidOperationException($"The change could not be written to the credential store. {reason}")
                : result;
        }
        catch (OAuthException failure)
        {
            throw new InvalidOperationException(failure.Message, failure);
        }
    }
}
