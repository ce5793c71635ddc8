using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text;
using Duende.IdentityModel;
using Duende.IdentityModel.Client;
using McpProxyFast.OAuth.Browser;
using McpProxyFast.OAuth.Discovery;
using McpProxyFast.OAuth.Net;
using McpProxyFast.OAuth.Store;
using McpProxyFast.Outcomes;
using Microsoft.Extensions.Logging;

namespace McpProxyFast.OAuth.Grants;

/// <summary>Signs a person in with a browser: authorization code, PKCE, loopback redirect (RFC 6749 §4.1, RFC 7636, RFC 8252).</summary>
/// <param name="grant">The grant and its settings.</param>
/// <param name="secrets">Secrets that must not be in the browser's environment; an element is null if that secret is not set.</param>
/// <param name="http">Fetches the keys of an ID token.</param>
/// <param name="clients">Chooses the client.</param>
/// <param name="tokens">Exchanges the authorization code for tokens.</param>
/// <param name="clock">The clock for waits and for the lifetimes of ID tokens.</param>
/// <param name="logger">Logs that the browser cannot be opened.</param>
/// <param name="invitation">Shows the person the link to sign in.</param>
internal sealed class AuthorizationCodeFlow(
    OAuthGrant.AuthorizationCode grant,
    IReadOnlyList<string?> secrets,
    OAuthHttp http,
    ClientRegistry clients,
    TokenEndpoint tokens,
    TimeProvider clock,
    ILogger logger,
    SignInInvitation invitation) : IGrantFlow
{
    public async Task<IssuedCredential> RunAsync(Protection protection, IReadOnlyList<string> scopes, DPoPKey? dpopKey, CancellationToken cancellationToken)
    {
        CheckServer(protection);
        using LoopbackCallback callback = LoopbackCallback.Open(grant.CallbackPort, mayMove: !clients.IsPreregistered, clock, logger);
        ClientIdentity client = await clients.ChooseAsync(protection.Server, callback.RedirectUri, scopes, cancellationToken).ConfigureAwait(false);
        var attempt = new SignInAttempt(protection, client, scopes, callback.RedirectUri);
        var url = new Uri(AuthorizeUrl(attempt));
        bool opened = !grant.SkipBrowser && BrowserOpener.TryOpen(url, secrets, logger);
        invitation.Show(url, opened);

        CallbackQuery answer = await callback.WaitAsync(attempt.State, cancellationToken).ConfigureAwait(false);
        string code = CodeFrom(answer, attempt);
        TokenSet issued = await ExchangeAsync(attempt, code, dpopKey, cancellationToken).ConfigureAwait(false);
        TokenSet tokens = scopes.Contains("openid") ? await WithCheckedIdTokenAsync(issued, attempt, cancellationToken).ConfigureAwait(false) : issued;
        return new IssuedCredential { Server = protection.Server, Client = client, Resource = protection.Resource, Scopes = scopes, Tokens = tokens };
    }

    // MCP: a server whose metadata does not list S256 must not be used. If the operator has named the server, its metadata may lack the list, as with several
    // large servers; but a list without S256 is never accepted.
    private static void CheckServer(Protection protection)
    {
        ServerMetadata server = protection.Server;
        bool mayBeSilent = protection.IsOperators || server.IsAssumed;
        if (server.CodeChallengeMethodsSupported is { } methods && !methods.Contains("S256"))
        {
            throw OAuthException.Refused(
                "pkce-unsupported",
                $"{server.Issuer} does not offer PKCE with S256 (code_challenge_methods_supported: {string.Join(' ', methods)}), without which a sign-in is "
                + "not safe; ask its operator to enable it.");
        }

        if (server.CodeChallengeMethodsSupported is null && !mayBeSilent)
        {
            throw OAuthException.Refused(
                "pkce-unsupported",
                $"The metadata of {server.Issuer} does not offer PKCE with S256: it has no code_challenge_methods_supported. If you know that the server "
                + "supports it, as Microsoft Entra and Amazon Cognito do, confirm that by naming the server: OAuthPolicy.Server "
                + $"{server.Issuer}. The proxy always uses PKCE.");
        }

        ServerEndpoint.Require(
            server,
            "authorization_endpoint",
            server.AuthorizationEndpoint,
            "Ask the operator of the server to correct it, or set its endpoints and a client id by hand (OAuthPolicy.Server).");
        if (!UrlRule.IsSecure(UrlRule.Parse(server.AuthorizationEndpoint)))
        {
            throw OAuthException.Refused("insecure-url", server.AuthorizationEndpoint is { } given
                ? $"The authorization endpoint of {server.Issuer} is not an https URL: {Printable.Url(given)}."
                : $"The metadata of {server.Issuer} names no authorization_endpoint, so nobody can sign in there. Use another grant (OAuthPolicy.Grant).");
        }
    }

    private async Task<TokenSet> WithCheckedIdTokenAsync(TokenSet issued, SignInAttempt attempt, CancellationToken cancellationToken)
    {
        ServerMetadata server = attempt.Protection.Server;
        var check = new IdTokenCheck(http, clock);
        string? fault = await check.FindFaultAsync(issued.IdToken, server, attempt.Client.Id, attempt.Nonce, cancellationToken).ConfigureAwait(false);
        if (fault is null)
        {
            return issued;
        }

        logger.IdTokenNotUsed(Printable.Url(server.Issuer ?? server.TokenEndpoint!), fault);
        return issued with { IdToken = null };
    }

    private string AuthorizeUrl(SignInAttempt attempt)
    {
        var parameters = new Parameters
        {
            { "response_type", "code" },
            { "client_id", attempt.Client.Id },
            { "redirect_uri", attempt.RedirectUri },
            { "state", attempt.State },
            { "code_challenge", Base64Url.EncodeToString(SHA256.HashData(Encoding.ASCII.GetBytes(attempt.Verifier))) },
            { "code_challenge_method", "S256" },
        };
        parameters.AddOptional("resource", attempt.Protection.Resource);
        AuthorizeDialect dialect = AuthorizeDialect.At(attempt.Protection.Server.AuthorizationEndpoint);
        parameters.AddOptional(grant.ScopeParameter, string.Join(dialect.ScopeSeparator, attempt.Scopes));
        parameters.AddOptional("nonce", attempt.Scopes.Contains("openid") ? attempt.Nonce : null);
        foreach ((string name, string value) in dialect.Parameters)
        {
            parameters.Add(name, value);
        }

        return new RequestUrl(attempt.Protection.Server.AuthorizationEndpoint!).Create(parameters);
    }

    /// <returns>The authorization code.</returns>
    /// <exception cref="OAuthException">The redirect comes from another server, or has an error or no code.</exception>
    private static string CodeFrom(CallbackQuery answer, SignInAttempt attempt)
    {
        ServerMetadata server = attempt.Protection.Server;

        // RFC 9207 §2.4: the issuer is checked before any other parameter is used. It is compared character by character, without normalization.
        if (answer.Issuer is not null ? server.Issuer is not null && answer.Issuer != server.Issuer : server.AuthorizationResponseIssParameterSupported)
        {
            throw OAuthException.Refused(
                "wrong-issuer",
                Printable.Of(
                    $"The answer to the sign-in names the issuer {answer.Issuer ?? "(none)"} where {server.Issuer} was expected, so it is not used. "
                    + "Sign in again. If that ends the same way, the server is set up wrongly, or the answer comes from another server."));
        }

        if (answer.Error is { } error)
        {
            string reason = answer.ErrorDescription is null ? error : $"{error} ({answer.ErrorDescription})";
            throw new OAuthException(
                OAuthError.FailureOf(error),
                "sign-in-refused",
                Printable.Of(
                    $"{Printable.Url(server.AuthorizationEndpoint!)} refused the sign-in: {reason}. "
                    + $"{OAuthError.NextAfterSignIn(error, answer.ErrorDescription)} The sign-in asked for {attempt}."));
        }

        return answer.Code is { Length: > 0 } code
            ? code
            : throw OAuthException.Refused(
                "sign-in-refused",
                $"{Printable.Url(server.AuthorizationEndpoint!)} sent the browser back without a code. Sign in again. If that ends the same way, "
                + "ask the operator of the server.");
    }

    private Task<TokenSet> ExchangeAsync(SignInAttempt attempt, string code, DPoPKey? dpopKey, CancellationToken cancellationToken)
    {
        var parameters = new Parameters
        {
            { "code", code },
            { "redirect_uri", attempt.RedirectUri },
            { "code_verifier", attempt.Verifier },
        };
        parameters.AddOptional("resource", attempt.Protection.Resource);
        return tokens.AskAsync(attempt.Protection.Server, attempt.Client, OidcConstants.GrantTypes.AuthorizationCode, parameters, dpopKey, cancellationToken);
    }

    /// <summary>The values of one sign-in, against which its redirect and its ID token are checked; the issuer is one of them (RFC 9207).</summary>
    private sealed class SignInAttempt(Protection protection, ClientIdentity client, IReadOnlyList<string> scopes, string redirectUri)
    {
        public Protection Protection { get; } = protection;

        public ClientIdentity Client { get; } = client;

        public IReadOnlyList<string> Scopes { get; } = scopes;

        public string RedirectUri { get; } = redirectUri;

        public string State { get; } = CryptoRandom.CreateUniqueId(32);

        public string Nonce { get; } = CryptoRandom.CreateUniqueId(32);

        public string Verifier { get; } = CryptoRandom.CreateUniqueId(48);

        /// <summary>A description for logs: what the sign-in has asked for, without secrets.</summary>
        public override string ToString()
        {
            string wanted = Scopes.Count > 0 ? $"the scopes {string.Join(' ', Scopes)}" : "no scope";
            string resource = Protection.Resource is { } named ? $"the resource {named}" : "no resource";
            return $"{wanted}, {resource}, by the client {Client.Id} with {RedirectUri}";
        }
    }
}
