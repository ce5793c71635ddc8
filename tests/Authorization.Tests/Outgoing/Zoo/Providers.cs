using System.Text.Json.Nodes;

namespace McpProxyFast.Authorization.Tests.Outgoing.Zoo;

/// <summary>The recorded providers: what the public documentation of each says, one row each. A quirk that a user reports becomes a row.</summary>
/// <remarks>The names are of the documents that a row is taken from; host names, ids and tokens are made up.</remarks>
internal static class Providers
{
    private const string InsertedOAuth = "/.well-known/oauth-authorization-server";
    private const string OpenId = "/.well-known/openid-configuration";

    public static IReadOnlyList<Provider> All { get; } = [.. Large(), .. ProductProviders.All, .. McpServers(), .. MoreProviders.All];

    private static IEnumerable<Provider> Large() =>
    [
        // https://developers.google.com/identity/protocols/oauth2/web-server#offline: refresh tokens for access_type=offline alone, none with a renewal; scope is
        // needed. https://accounts.google.com/.well-known/openid-configuration: no slash at the issuer's end, which manuals write with one; plain beside S256;
        // a secret for every client. The answer names the issuer (RFC 9207), which neither that document nor a manual says.
        new("google")
        {
            Places = [OpenId],
            Resource = resource => Set(
                resource,
                ("authorization_servers", new JsonArray($"{resource["authorization_servers"]![0]}/")),
                ("scopes_supported", new JsonArray("https://www.googleapis.com/auth/drive.readonly"))),
            PublishedAuthorizationEndpoint = "https://accounts.google.com/o/oauth2/v2/auth",
            Metadata = metadata => Set(
                metadata,
                ("code_challenge_methods_supported", new JsonArray("plain", "S256")),
                ("scopes_supported", new JsonArray("openid", "email", "profile")),
                ("token_endpoint_auth_methods_supported", new JsonArray("client_secret_post", "client_secret_basic"))),
            SendsIssuer = true,
            AnnouncesIssuer = false,
            ClientAuth = "basic",
            Setup = (policy, _) => With(policy, Secret),
            Refuses = query => query.ContainsKey("scope") ? null : ("invalid_request", "Missing required parameter: scope"),
            GivesRefreshToken = query => query.GetValueOrDefault("access_type") == "offline" && query.GetValueOrDefault("prompt") == "consent",
            Rotates = false,
            Tokens = tokens => Set(tokens, ("expires_in", 3920), ("refresh_token_expires_in", 604799)),
            RefreshRefusal = (400, """{"error":"invalid_grant","error_description":"Token has been expired or revoked."}"""),
        },

        // https://learn.microsoft.com/entra/identity-platform/v2-oauth2-auth-code-flow: scope is needed, refresh tokens for offline_access alone, another one with
        // each renewal, errors with line breaks and lists in them. resource beside scope is refused (AADSTS9010010,
        // https://github.com/microsoft/vscode/issues/321249); the metadata, at the appended place alone, has no code_challenge_methods_supported.
        new("entra")
        {
            IssuerPath = "/5dcd6f0e-0000-4000-8000-000000000000/v2.0",
            Places = [$"/5dcd6f0e-0000-4000-8000-000000000000/v2.0{OpenId}"],
            Resource = resource => resource["scopes_supported"] = new JsonArray("api://app/user_impersonation"),
            Metadata = metadata =>
            {
                metadata.Remove("code_challenge_methods_supported");
                metadata["scopes_supported"] = new JsonArray("openid", "profile", "email", "offline_access");
                metadata["token_endpoint_auth_methods_supported"] = new JsonArray("client_secret_post", "private_key_jwt", "client_secret_basic");
            },
            Setup = (policy, server) => With(policy, Public) with { Server = OAuthServer.FromIssuer(server.Issuer), Resource = OAuthPolicy.NoResource },
            Refuses = query => !query.ContainsKey("scope") ? ("invalid_request", "AADSTS900144: The request body must contain the following parameter: 'scope'.")
                : query.ContainsKey("resource") ? ("invalid_target", "AADSTS9010010: The resource parameter provided in the request doesn't match with the scopes.")
                : null,
            GivesRefreshToken = AskedForOffline,
            Tokens = tokens => Set(tokens, ("expires_in", 3599), ("ext_expires_in", 3599), ("id_token", "not.looked.at")),
            RefreshRefusal = (400, """
                {"error":"invalid_grant",
                 "error_description":"AADSTS700082: The refresh token has expired.\r\nTrace ID: 0000aaaa-11bb-cccc-dd22-eeeeee333333\r\nTimestamp: 2016-01-09 02:02:12Z",
                 "error_codes":[700082],"timestamp":"2016-01-09 02:02:12Z","trace_id":"0000aaaa-11bb-cccc-dd22-eeeeee333333"}
                """),
        },

        // https://docs.aws.amazon.com/cognito/latest/developerguide/token-endpoint.html: the secret in the Authorization field; a renewal has no refresh token in
        // it unless rotation is switched on; errors are a code alone; no answer has a scope. The user pool's metadata, at
        // the appended place alone, has no code_challenge_methods_supported and no registration.
        new("cognito")
        {
            IssuerPath = "/eu-central-1_AbCdEfGhI",
            Places = [$"/eu-central-1_AbCdEfGhI{OpenId}"],
            Metadata = metadata =>
            {
                metadata.Remove("code_challenge_methods_supported");
                metadata["token_endpoint_auth_methods_supported"] = new JsonArray("client_secret_basic", "client_secret_post");
            },
            ClientAuth = "basic",
            Setup = (policy, server) => With(policy, Secret) with { Server = OAuthServer.FromIssuer(server.Issuer) },
            Rotates = false,
            Tokens = tokens => Without(Set(tokens, ("id_token", "not.looked.at")), "scope"),
            RenewedTokens = tokens => Without(tokens, "scope"),
        },

        // https://auth0.com/docs/secure/tokens/refresh-tokens: for offline_access alone; the issuer ends with a slash.
        // https://support.auth0.com/center/s/article/troubleshoot-refresh-token-unknown-or-invalid-before-expiry-403-unknown-or-invalid-refresh-token: the 403.
        new("auth0")
        {
            IssuerPath = "/",
            Places = [InsertedOAuth, OpenId],
            Registers = true,
            Resource = resource => resource["authorization_servers"] = new JsonArray(((string)resource["authorization_servers"]![0]!).TrimEnd('/')),
            Metadata = metadata => metadata["scopes_supported"] = new JsonArray("openid", "profile", "offline_access"),
            GivesRefreshToken = AskedForOffline,
            RefreshRefusal = (403, """{"error":"invalid_grant","error_description":"Unknown or invalid refresh token."}"""),
        },

        // https://developer.okta.com/docs/reference/api/oidc/: metadata appended to the issuer's path; registration needs a token, so a client is given.
        // https://developer.okta.com/docs/guides/refresh-tokens/main/: for offline_access alone; native and web applications get the same one with each renewal.
        new("okta")
        {
            IssuerPath = "/oauth2/default",
            Places = [$"/oauth2/default{InsertedOAuth}", $"/oauth2/default{OpenId}"],
            Metadata = metadata => metadata["scopes_supported"] = new JsonArray("openid", "offline_access"),
            Setup = (policy, _) => With(policy, Public),
            GivesRefreshToken = AskedForOffline,
            Rotates = false,
            RepeatsRefreshToken = true,
            RefreshRefusal = (400, """{"error":"invalid_grant","error_description":"The refresh token is invalid or expired."}"""),
        },

        // https://www.keycloak.org/securing-apps/oidc-layers: metadata appended to the realm; times of its own in the tokens.
        // https://www.keycloak.org/securing-apps/mcp-authz-server: metadata of RFC 8414 too, registration; the answer names the issuer (RFC 9207).
        new("keycloak")
        {
            IssuerPath = "/realms/tools",
            Places = [$"{InsertedOAuth}/realms/tools", $"/realms/tools{OpenId}"],
            Registers = true,
            SendsIssuer = true,
            Metadata = metadata => metadata["code_challenge_methods_supported"] = new JsonArray("plain", "S256"),
            Tokens = tokens => Set(tokens, ("refresh_expires_in", 1800), ("not-before-policy", 0), ("session_state", "s")),
            RefreshRefusal = (400, """{"error":"invalid_grant","error_description":"Token is not active"}"""),
        },

        // https://github.com/ory/fosite/blob/master/errors.go (ErrInactiveToken), of which Hydra is made: a token that is over is refused with 401 and a name of
        // its own.
        new("hydra")
        {
            Places = [OpenId],
            Registers = true,
            RefreshRefusal = (401, """{"error":"token_inactive","error_description":"Token is inactive because it is malformed, expired or otherwise invalid."}"""),
        },
    ];

    private static IEnumerable<Provider> McpServers() =>
    [
        // https://github.com/cloudflare/workers-oauth-provider/blob/v0.0.2/src/oauth-provider.ts, behind many hosted MCP servers: its own authorization server, at
        // the origin, without a document of the resource; plain beside S256; a lower-case type; tokens are revoked at the token endpoint; 400 for a grant that
        // is over.
        new("workers oauth provider, older")
        {
            IsOwnServer = true,
            Registers = true,
            Resource = null,
            Challenge = _ => "Bearer realm=\"OAuth\", error=\"invalid_token\", error_description=\"Missing or invalid access token\"",
            Metadata = metadata => Set(
                metadata,
                ("code_challenge_methods_supported", new JsonArray("plain", "S256")),
                ("token_endpoint_auth_methods_supported", new JsonArray("client_secret_basic", "client_secret_post", "none")),
                ("revocation_endpoint", metadata["token_endpoint"])),
            Tokens = tokens => Set(tokens, ("token_type", "bearer")),
            RenewedTokens = tokens => Set(tokens, ("token_type", "bearer")),
            RefreshRefusal = (400, """{"error":"invalid_grant","error_description":"Grant not found"}"""),
        },

        // https://github.com/cloudflare/workers-oauth-provider/blob/main/docs/mcp-discovery.md: a document of the resource at its own place; the answer names
        // the issuer (RFC 9207). The type is lower-case, and tokens name their resource.
        new("workers oauth provider")
        {
            IsOwnServer = true,
            Registers = true,
            SendsIssuer = true,
            Challenge = document => $"Bearer realm=\"OAuth\", resource_metadata=\"{document}\"",
            Metadata = metadata => Set(
                metadata,
                ("token_endpoint_auth_methods_supported", new JsonArray("client_secret_basic", "client_secret_post", "none")),
                ("revocation_endpoint", metadata["token_endpoint"])),
            Tokens = tokens => Set(tokens, ("token_type", "bearer"), ("resource", "https://mcp.example.test/mcp")),
            RenewedTokens = tokens => Set(tokens, ("token_type", "bearer"), ("resource", "https://mcp.example.test/mcp")),
            RefreshRefusal = (400, """{"error":"invalid_grant","error_description":"Invalid refresh token"}"""),
        },

        // https://github.com/modelcontextprotocol/typescript-sdk/blob/v1.29.0/src/server/auth/router.ts: the issuer is a URL's href, which ends with a slash; the
        // resource is the issuer unless the server says otherwise, so its document lies at the origin, and no challenge names it; errors are 400.
        new("mcp typescript sdk")
        {
            IsOwnServer = true,
            IssuerPath = "/",
            Registers = true,
            ResourcePlace = "/.well-known/oauth-protected-resource",
            Resource = resource => resource["resource"] = (string)resource["authorization_servers"]![0]!,
            Challenge = _ => "Bearer error=\"invalid_token\", error_description=\"Missing Authorization header\"",
            Metadata = metadata => metadata["token_endpoint_auth_methods_supported"] = new JsonArray("client_secret_post", "none"),
            RefreshRefusal = (400, """{"error":"invalid_grant","error_description":"Invalid refresh token"}"""),
        },

        // https://modelcontextprotocol.io/specification/2025-03-26/basic/authorization: nothing is published, and the endpoints lie at fixed places.
        new("mcp 2025-03-26 without metadata")
        {
            IsOwnServer = true,
            Places = [],
            Registers = true,
            Resource = null,
        },

        // https://gofastmcp.com/servers/auth/oauth-proxy, https://github.com/jlowin/fastmcp/blob/v3.0.0rc2/src/fastmcp/server/auth/auth.py: a slash at the issuer's
        // end; a refresh token that is over is refused with 401.
        new("fastmcp")
        {
            IsOwnServer = true,
            IssuerPath = "/",
            Registers = true,
            Challenge = document => "Bearer error=\"invalid_token\", error_description=\"Authentication failed. The provided bearer token is invalid, expired, "
                + $"or no longer recognized by the server.\", resource_metadata=\"{document}\"",
            Metadata = metadata => metadata["token_endpoint_auth_methods_supported"] = new JsonArray("client_secret_post", "client_secret_basic"),
            RefreshRefusal = (401, """{"error":"invalid_grant","error_description":"Refresh token mapping not found"}"""),
        },

        // The same pages, base_url with a path: the metadata lies at the issuer's path, inserted, and nowhere else.
        new("fastmcp below a path")
        {
            IsOwnServer = true,
            IssuerPath = "/mcp",
            Places = [$"{InsertedOAuth}/mcp"],
            Registers = true,
            Challenge = document => $"Bearer error=\"invalid_token\", resource_metadata=\"{document}\"",
            RefreshRefusal = (401, """{"error":"invalid_grant","error_description":"Refresh token mapping not found"}"""),
        },

        // No document of the resource, and the server's path is the issuer's: what discoverOAuthMetadata of the MCP TypeScript SDK asks first
        // (https://github.com/modelcontextprotocol/typescript-sdk/blob/v1.29.0/src/client/auth.ts).
        new("issuer at the path of the server")
        {
            IsOwnServer = true,
            IssuerPath = "/mcp",
            Places = [$"{InsertedOAuth}/mcp"],
            Registers = true,
            Resource = null,
        },

        // Truth values as words: https://github.com/wso2/product-is/issues/5372. Scopes as an object: https://github.com/ronvanderheijden/openid-connect/issues/25.
        // null for what is not there: https://github.com/open-metadata/OpenMetadata/issues/30642. One text where a list belongs, and a truth value where a URL
        // belongs: no page says that a server does so; they stand for every member of another kind.
        new("loosely typed metadata")
        {
            Registers = true,
            SendsIssuer = true,
            Resource = resource => resource["scopes_supported"] = "read write",
            Metadata = metadata =>
            {
                metadata["authorization_response_iss_parameter_supported"] = "true";
                metadata["code_challenge_methods_supported"] = "S256";
                metadata["scopes_supported"] = JsonNode.Parse("""{"read":true}""");
                metadata["revocation_endpoint"] = false;
                metadata["jwks_uri"] = null;
            },
            Tokens = tokens => Set(tokens, ("expires_in", "3600")),
        },
    ];

    public static ClientAuthentication? Public => null;

    public static ClientAuthentication Secret => ClientAuthentication.Secret(ZooServer.ClientSecret);

    public static bool AskedForOffline(IReadOnlyDictionary<string, string> query) =>
        query.GetValueOrDefault("scope")?.Split(' ').Contains("offline_access") is true;

    public static OAuthPolicy With(OAuthPolicy policy, ClientAuthentication? authentication) =>
        policy with { Grant = Support.Rig.WithBrowser with { Client = new KnownClient(ZooServer.ClientId, authentication) } };

    public static OAuthServer ByHand(ZooServer server, string? authorizationEndpoint = null) =>
        OAuthServer.FromEndpoints(new Uri($"{server.LoginOrigin}/token"), new Uri(authorizationEndpoint ?? $"{server.LoginOrigin}/authorize"));

    public static JsonObject Set(JsonObject json, params (string Name, JsonNode? Value)[] members)
    {
        foreach ((string name, JsonNode? value) in members)
        {
            json[name] = value?.DeepClone();
        }

        return json;
    }

    public static JsonObject Without(JsonObject json, string name)
    {
        json.Remove(name);
        return json;
    }
}
