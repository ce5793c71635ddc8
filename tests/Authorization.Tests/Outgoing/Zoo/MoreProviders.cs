using System.Text.Json.Nodes;
using static McpProxyFast.Authorization.Tests.Outgoing.Zoo.Providers;

namespace McpProxyFast.Authorization.Tests.Outgoing.Zoo;

/// <summary>Further rows of <see cref="Providers"/>: identity servers that people run themselves, and products whose answers have members of their own.</summary>
internal static class MoreProviders
{
    private const string OpenId = "/.well-known/openid-configuration";

    public static IEnumerable<Provider> All { get; } =
    [
        // https://docs.duendesoftware.com/identityserver/tokens/refresh/: refresh tokens for offline_access alone, which stay the same with each renewal unless the
        // client is set up otherwise. https://github.com/DuendeSoftware/products, DiscoveryResponseGenerator: plain beside S256, the answer names the issuer.
        new("identityserver")
        {
            Places = [OpenId],
            SendsIssuer = true,
            Resource = resource => resource["scopes_supported"] = new JsonArray("api1"),
            Metadata = metadata => Set(
                metadata,
                ("code_challenge_methods_supported", new JsonArray("plain", "S256")),
                ("scopes_supported", new JsonArray("openid", "profile", "api1", "offline_access")),
                ("token_endpoint_auth_methods_supported", new JsonArray("client_secret_basic", "client_secret_post"))),
            Setup = (policy, _) => With(policy, Public),
            GivesRefreshToken = AskedForOffline,
            Rotates = false,
            RepeatsRefreshToken = true,
        },

        // https://zitadel.com/docs/apis/openidoauth/endpoints: the same, with a description that is a key of its own texts.
        new("zitadel")
        {
            Places = [OpenId],
            Metadata = metadata => metadata["scopes_supported"] = new JsonArray("openid", "profile", "offline_access"),
            Setup = (policy, _) => With(policy, Public),
            GivesRefreshToken = AskedForOffline,
            RefreshRefusal = (400, """{"error":"invalid_grant","error_description":"Errors.User.RefreshToken.Invalid"}"""),
        },

        // https://workos.com/docs/authkit/mcp: a server of its own with registration, whose metadata that page shows.
        // https://workos.com/docs/reference/workos-connect/metadata: the same as OpenID's document; refresh tokens for offline_access.
        new("workos")
        {
            Places = ["/.well-known/oauth-authorization-server", OpenId],
            Registers = true,
            Metadata = metadata => Set(
                metadata,
                ("scopes_supported", new JsonArray("email", "offline_access", "openid", "profile")),
                ("token_endpoint_auth_methods_supported", new JsonArray("none", "client_secret_post", "client_secret_basic"))),
            GivesRefreshToken = AskedForOffline,
        },

        // https://learn.microsoft.com/azure/active-directory-b2c/authorization-code-flow: its issuer is not where its metadata lies, so endpoints are given;
        // expires_in is a text, and so is a time of its own; refresh tokens for offline_access alone.
        new("entra b2c")
        {
            Places = [],
            Setup = (policy, server) => With(policy, Public) with { Server = ByHand(server), Resource = OAuthPolicy.NoResource, Scopes = ["openid", "offline_access"] },
            Resource = null,
            GivesRefreshToken = AskedForOffline,
            Tokens = tokens => Set(tokens, ("expires_in", "3600"), ("not_before", "1442340812"), ("id_token", "not.looked.at")),
            RenewedTokens = tokens => Set(tokens, ("expires_in", "3600"), ("not_before", "1442340812")),
            RefreshRefusal = (400, """{"error":"invalid_grant","error_description":"AADB2C90129: The provided grant has been revoked."}"""),
        },

        // https://support.atlassian.com/bitbucket-cloud/docs/use-oauth-on-bitbucket-cloud/: the scopes that were granted come as `scopes`.
        new("bitbucket")
        {
            Places = [],
            ClientAuth = "basic",
            Setup = (policy, server) => With(policy, Secret) with { Server = ByHand(server) },
            Resource = null,
            Rotates = false,
            Tokens = tokens => Without(Set(tokens, ("token_type", "bearer"), ("scopes", "repository")), "scope"),
        },

        // https://developer.intuit.com/app/developer/qbo/docs/develop/authentication-and-authorization/oauth-2.0: times of its own, a place of its own for
        // its metadata. https://github.com/intuit/oauth-jsclient/issues/128: an error is a code alone.
        new("intuit")
        {
            Places = ["/.well-known/openid_configuration"],
            ClientAuth = "basic",
            Setup = (policy, server) => With(policy, Secret) with { Server = ByHand(server) },
            Resource = null,
            Tokens = tokens => Set(tokens, ("token_type", "bearer"), ("x_refresh_token_expires_in", 8726400)),
        },

        // https://developer.spotify.com/documentation/web-api/tutorials/refreshing-tokens: a renewal without a refresh token means that the old one is kept.
        // https://developer.spotify.com/blog/2026-06-18-refresh-token-expiration: it ends after six months, with invalid_grant.
        new("spotify")
        {
            Places = [],
            Setup = (policy, server) => With(policy, Public) with { Server = ByHand(server) },
            Resource = null,
            Rotates = false,
            RefreshRefusal = (400, """{"error":"invalid_grant","error_description":"Refresh token revoked"}"""),
        },

        // https://developer.box.com/guides/authentication/tokens/refresh: a list beside the tokens; rotation; the secret in the form.
        new("box")
        {
            Places = [],
            ClientAuth = "post",
            Setup = (policy, server) => With(policy, Secret) with { Server = ByHand(server), TokenEndpointAuthMethod = TokenEndpointAuthMethod.Post },
            Resource = null,
            Tokens = tokens => Set(tokens, ("token_type", "bearer"), ("restricted_to", new JsonArray())),
            RefreshRefusal = (400, """{"error":"invalid_grant","error_description":"Refresh token has expired"}"""),
        },

        // https://developers.zoom.us/docs/integrations/oauth/: a refresh token that is over is an invalid request.
        new("zoom")
        {
            Places = [],
            ClientAuth = "basic",
            Setup = (policy, server) => With(policy, Secret) with { Server = ByHand(server) },
            Resource = null,
            Tokens = tokens => Set(tokens, ("token_type", "bearer"), ("api_url", "https://api.example.test")),
            RefreshRefusal = (401, """{"reason":"Invalid Token!","error":"invalid_request"}"""),
        },

        // https://developers.asana.com/docs/oauth: an object about the person beside the tokens, a lower-case type, the secret in the form, no refresh token in
        // a renewal.
        new("asana")
        {
            Places = [],
            ClientAuth = "post",
            Setup = (policy, server) => With(policy, Secret) with { Server = ByHand(server), TokenEndpointAuthMethod = TokenEndpointAuthMethod.Post },
            Resource = null,
            Rotates = false,
            Tokens = tokens => Set(
                tokens,
                ("token_type", "bearer"),
                ("data", new JsonObject { ["id"] = 4673218951, ["gid"] = "4673218951", ["name"] = "Somebody", ["email"] = "somebody@example.test" })),
            RenewedTokens = tokens => Set(tokens, ("token_type", "bearer")),
        },

        // https://developers.strava.com/docs/authentication/: commas between scopes, none in the answer; an instant beside the lifetime, and the athlete; another
        // refresh token with each renewal; errors are lists of faults (https://github.com/dreeveapp/dreeve/issues/1449).
        // https://github.com/tidbyt/community/pull/274: blanks between scopes are refused.
        new("strava")
        {
            Places = [],
            ClientAuth = "post",
            ScopeSeparator = ',',
            Setup = (policy, server) => With(policy, Secret) with
            {
                Server = ByHand(server, "https://www.strava.com/oauth/authorize"),
                Scopes = ["read", "activity:read_all"],
                TokenEndpointAuthMethod = TokenEndpointAuthMethod.Post,
            },
            Resource = null,
            Tokens = tokens => Set(Without(tokens, "scope"), ("expires_at", 1568775134), ("expires_in", 21600), ("athlete", new JsonObject { ["id"] = 1 })),
            RenewedTokens = tokens => Set(Without(tokens, "scope"), ("expires_at", 1568775134), ("expires_in", 20566)),
            CodeRefusal = (
                400,
                """{"message":"Bad Request","errors":[{"resource":"AuthorizationCode","field":"code","code":"invalid"}]}""",
                "answered 400 with something that is not an OAuth answer (Bad Request, "),
            RefreshRefusal = (400, """{"message":"Bad Request","errors":[{"resource":"RefreshToken","field":"refresh_token","code":"invalid"}]}"""),
        },

        // https://developers.linear.app/docs/oauth/authentication: commas between scopes.
        new("linear")
        {
            Places = [],
            ClientAuth = "post",
            ScopeSeparator = ',',
            Setup = (policy, server) => With(policy, Secret) with
            {
                Server = ByHand(server, "https://linear.app/oauth/authorize"),
                Scopes = ["read", "issues:create"],
                TokenEndpointAuthMethod = TokenEndpointAuthMethod.Post,
            },
            Resource = null,
        },

        // https://discord.com/developers/docs/topics/oauth2: as RFC 6749 has it, with the secret in the Authorization field.
        new("discord")
        {
            Places = [],
            ClientAuth = "basic",
            Setup = (policy, server) => With(policy, Secret) with { Server = ByHand(server), Scopes = ["identify"] },
            Resource = null,
        },
    ];
}
