using System.Text.Json.Nodes;
using static McpProxyFast.Authorization.Tests.Outgoing.Zoo.Providers;

namespace McpProxyFast.Authorization.Tests.Outgoing.Zoo;

/// <summary>Rows of <see cref="Providers"/>: products that many people sign in at, each with a server of its own.</summary>
internal static class ProductProviders
{
    private const string InsertedOAuth = "/.well-known/oauth-authorization-server";
    private const string OpenId = "/.well-known/openid-configuration";

    private static readonly (int Status, string Body, string Words) GitHubCodeRefusal = (
        200,
        """{"error":"bad_verification_code","error_description":"The code passed is incorrect or expired.","error_uri":"https://docs.example.test/"}""",
        "refused: bad_verification_code (The code passed is incorrect or expired.)");

    public static IEnumerable<Provider> All { get; } =
    [
        // https://docs.github.com/apps/creating-github-apps/authenticating-with-a-github-app/refreshing-user-access-tokens: errors come with 200.
        // https://github.com/.well-known/oauth-authorization-server/login/oauth: the metadata, with S256 and without registration.
        new("github app")
        {
            IssuerPath = "/login/oauth",
            Places = [$"{InsertedOAuth}/login/oauth"],
            Form = TokenForm.QueryUnlessJsonIsAccepted,
            CodeRefusal = GitHubCodeRefusal,
            ClientAuth = "post",
            Setup = (policy, _) => With(policy, Secret) with { TokenEndpointAuthMethod = TokenEndpointAuthMethod.Post },
            Tokens = tokens => Set(tokens, ("token_type", "bearer"), ("refresh_token_expires_in", 15811200)),
            RenewedTokens = tokens => Set(tokens, ("token_type", "bearer")),
            RefreshRefusal = (200, """{"error":"bad_refresh_token","error_description":"The refresh token passed is incorrect or expired."}"""),
        },

        // https://docs.github.com/apps/oauth-apps/building-oauth-apps/authorizing-oauth-apps: form-encoded unless JSON is accepted, scopes with commas in the
        // answer, with blanks in the request, no end and no refresh token. https://github.blog/changelog/2025-07-14-pkce-support-for-oauth-and-github-app-authentication/.
        // https://docs.github.com/apps/oauth-apps/maintaining-oauth-apps/troubleshooting-oauth-app-access-token-request-errors: bad_verification_code, with 200.
        new("github oauth app")
        {
            IssuerPath = "/login/oauth",
            Places = [$"{InsertedOAuth}/login/oauth"],
            Resource = resource => resource["scopes_supported"] = new JsonArray("repo", "gist"),
            ClientAuth = "post",
            Setup = (policy, _) => With(policy, Secret) with { TokenEndpointAuthMethod = TokenEndpointAuthMethod.Post },
            GivesRefreshToken = _ => false,
            Form = TokenForm.QueryUnlessJsonIsAccepted,
            CodeRefusal = GitHubCodeRefusal,
            Tokens = tokens => Set(Without(tokens, "expires_in"), ("token_type", "bearer"), ("scope", "repo,gist")),
        },

        // https://docs.slack.dev/reference/methods/oauth.v2.access: the person's token lies in authed_user; a renewal's is the answer itself, of type user.
        new("slack")
        {
            Places = [],
            ScopeParameter = "user_scope",
            ClientAuth = "basic",
            Setup = (policy, server) => policy with
            {
                Server = ByHand(server),
                Grant = Support.Rig.WithBrowser with { Client = new KnownClient(ZooServer.ClientId, Secret), ScopeParameter = "user_scope" },
                Scopes = ["search:read"],
            },
            Resource = null,
            Tokens = tokens => new JsonObject
            {
                ["ok"] = true,
                ["app_id"] = "A0",
                ["authed_user"] = Set(tokens, ("id", "U0"), ("token_type", "user")),
            },
            RenewedTokens = tokens => Set(tokens, ("ok", true), ("token_type", "user")),
            RefreshRefusal = (200, """{"ok":false,"error":"invalid_refresh_token"}"""),
        },

        // https://developer.atlassian.com/cloud/oauth/getting-started/refresh-tokens: offline_access, rotation, 403 for a token that is over.
        // https://developer.atlassian.com/cloud/jira/platform/oauth-2-3lo-apps/: audience and prompt in the authorization request.
        new("atlassian")
        {
            Metadata = metadata => metadata["scopes_supported"] = new JsonArray("read:jira-work", "offline_access"),
            PublishedAuthorizationEndpoint = "https://auth.atlassian.com/authorize",
            ClientAuth = "post",
            Setup = (policy, _) => With(policy, Secret) with { TokenEndpointAuthMethod = TokenEndpointAuthMethod.Post },
            Refuses = query => query.GetValueOrDefault("audience") == "api.atlassian.com" ? null : ("invalid_request", "audience is required"),
            GivesRefreshToken = AskedForOffline,
            RefreshRefusal = (403, """{"error":"invalid_grant","error_description":"Unknown or invalid refresh token."}"""),
        },

        // https://developers.hubspot.com/docs/api-reference/auth-oauth-v3/guide: the secret in the form; a renewal repeats the refresh token.
        // https://nango.dev/blog/hubspot-oauth-bad-refresh-token: a status beside the error, or in its place.
        new("hubspot")
        {
            Places = [],
            ClientAuth = "post",
            Setup = (policy, server) => With(policy, Secret) with { Server = ByHand(server), TokenEndpointAuthMethod = TokenEndpointAuthMethod.Post },
            Resource = null,
            Rotates = false,
            RepeatsRefreshToken = true,
            Tokens = tokens => Set(tokens, ("token_type", "bearer"), ("hub_id", 1)),
            RefreshRefusal = (400, """{"status":"BAD_REFRESH_TOKEN","message":"missing or invalid refresh token"}"""),
        },

        // https://developers.dropbox.com/oauth-guide: refresh tokens for token_access_type=offline alone, none with a renewal.
        new("dropbox")
        {
            Places = [OpenId],
            PublishedAuthorizationEndpoint = "https://www.dropbox.com/oauth2/authorize",
            Setup = (policy, _) => With(policy, Public),
            GivesRefreshToken = query => query.GetValueOrDefault("token_access_type") == "offline",
            Rotates = false,
            Tokens = tokens => Set(tokens, ("token_type", "bearer"), ("uid", "1"), ("account_id", "dbid:1")),
            RefreshRefusal = (400, """{"error":"invalid_grant","error_description":"refresh token is invalid or revoked"}"""),
        },

        // https://help.salesforce.com/s/articleView?id=xcloud.remoteaccess_oauth_refresh_token_flow.htm: no expires_in, times as strings, no rotation.
        new("salesforce")
        {
            Places = [OpenId],
            Setup = (policy, _) => With(policy, Public),
            Rotates = false,
            Tokens = tokens => Set(Without(tokens, "expires_in"), ("issued_at", "1700000000000"), ("instance_url", "https://example.test")),
            RenewedTokens = tokens => Without(tokens, "expires_in"),
            RefreshRefusal = (400, """{"error":"invalid_grant","error_description":"expired access/refresh token"}"""),
        },

        // https://docs.gitlab.com/api/oauth2/: a lower-case type, created_at beside expires_in, rotation.
        new("gitlab")
        {
            Places = [InsertedOAuth, OpenId],
            Registers = true,
            Tokens = tokens => Set(tokens, ("token_type", "bearer"), ("created_at", 1607635748)),
            RenewedTokens = tokens => Set(tokens, ("token_type", "bearer"), ("created_at", 1628711391)),
            RefreshRefusal = (400, """{"error":"invalid_grant","error_description":"The provided authorization grant is invalid, expired or revoked."}"""),
        },

        // https://dev.twitch.tv/docs/authentication/refresh-tokens/: scopes as a list, no end in a renewal, errors that are not OAuth errors.
        new("twitch")
        {
            Places = [],
            ClientAuth = "post",
            Setup = (policy, server) => With(policy, Secret) with { Server = ByHand(server), TokenEndpointAuthMethod = TokenEndpointAuthMethod.Post },
            Resource = null,
            Tokens = tokens => Set(tokens, ("token_type", "bearer"), ("scope", new JsonArray("channel:read"))),
            RenewedTokens = tokens => Without(Set(tokens, ("token_type", "bearer"), ("scope", new JsonArray("channel:read"))), "expires_in"),
            RefreshRefusal = (400, """{"error":"Bad Request","status":400,"message":"Invalid refresh token"}"""),
        },

        // https://learn.microsoft.com/linkedin/shared/authentication/programmatic-refresh-tokens: no token_type in the example answers.
        new("linkedin")
        {
            Places = [],
            ClientAuth = "post",
            Setup = (policy, server) => With(policy, Secret) with { Server = ByHand(server), TokenEndpointAuthMethod = TokenEndpointAuthMethod.Post },
            Resource = null,
            Rotates = false,
            Tokens = tokens => Set(Without(tokens, "token_type"), ("refresh_token_expires_in", 525600)),
            RenewedTokens = tokens => Without(tokens, "token_type"),
            RefreshRefusal = (400, """{"error":"invalid_request","error_description":"The provided authorization grant or refresh token is invalid, expired or revoked"}"""),
        },

        // https://developers.facebook.com/docs/facebook-login/guides/advanced/manual-flow: no refresh token, no scope in the answer, an end in 60 days; scopes with
        // commas or blanks. https://developers.facebook.com/docs/graph-api/guides/error-handling: errors are objects.
        // https://github.com/laravel/socialite/issues/385: with 400 for a code.
        new("facebook")
        {
            Places = [],
            ClientAuth = "post",
            Setup = (policy, server) => With(policy, Secret) with { Server = ByHand(server), TokenEndpointAuthMethod = TokenEndpointAuthMethod.Post },
            Resource = null,
            GivesRefreshToken = _ => false,
            Tokens = tokens => Set(Without(tokens, "scope"), ("token_type", "bearer"), ("expires_in", 5183944)),
            CodeRefusal = (
                400,
                """{"error":{"message":"This authorization code has been used.","type":"OAuthException","code":100,"fbtrace_id":"AbCdEfGh"}}""",
                "refused: OAuthException (This authorization code has been used.)"),
        },

        // https://api.stackexchange.com/docs/authentication: form-encoded answers, with `expires` in the place of expires_in.
        new("stack exchange")
        {
            Places = [],
            ClientAuth = "post",
            Setup = (policy, server) => With(policy, Secret) with { Server = ByHand(server), TokenEndpointAuthMethod = TokenEndpointAuthMethod.Post },
            Resource = null,
            GivesRefreshToken = _ => false,
            Form = TokenForm.Query,
            Tokens = tokens => Set(Without(Without(Without(tokens, "expires_in"), "token_type"), "scope"), ("expires", 86400)),
        },
    ];
}
