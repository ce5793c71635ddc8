using System.Text.Json;

namespace McpProxyFast.OAuth.Discovery;

/// <summary>Reads metadata documents leniently: a member whose JSON type is not the one in its RFC is ignored.</summary>
/// <remarks>
/// This does not weaken any check, since members that checks depend on are read strictly. If <c>authorization_response_iss_parameter_supported</c> has any
/// value but false, <c>iss</c> is required. If <c>code_challenge_methods_supported</c> cannot be read, the server counts as not supporting PKCE.
/// </remarks>
internal static class DocumentReader
{
    /// <summary>Reads an authorization server's metadata (RFC 8414 §2, OpenID Connect Discovery 1.0 §3).</summary>
    public static ServerMetadata ReadServer(JsonElement document) => new()
    {
        Issuer = document.TextOf("issuer"),
        AuthorizationEndpoint = document.TextOf("authorization_endpoint"),
        TokenEndpoint = document.TextOf("token_endpoint"),
        RegistrationEndpoint = document.TextOf("registration_endpoint"),
        RevocationEndpoint = document.TextOf("revocation_endpoint"),
        DeviceAuthorizationEndpoint = document.TextOf("device_authorization_endpoint"),
        JwksUri = document.TextOf("jwks_uri"),
        ScopesSupported = ListOf(document, "scopes_supported"),
        CodeChallengeMethodsSupported =
            ListOf(document, "code_challenge_methods_supported") ?? (IsThere(document, "code_challenge_methods_supported") ? [] : null),
        TokenEndpointAuthMethodsSupported = ListOf(document, "token_endpoint_auth_methods_supported"),
        AuthorizationResponseIssParameterSupported =
            IsThere(document, "authorization_response_iss_parameter_supported") && FlagOf(document, "authorization_response_iss_parameter_supported") != false,
        ClientIdMetadataDocumentSupported = FlagOf(document, "client_id_metadata_document_supported") == true,
    };

    /// <summary>Reads a protected resource's metadata (RFC 9728 §2).</summary>
    public static ResourceMetadata ReadResource(JsonElement document) => new()
    {
        Resource = document.TextOf("resource"),
        AuthorizationServers = ListOf(document, "authorization_servers"),
        ScopesSupported = ListOf(document, "scopes_supported"),
    };

    private static bool IsThere(JsonElement document, string name) =>
        document.TryGetProperty(name, out JsonElement value) && value.ValueKind is not JsonValueKind.Null;

    /// <summary>Reads a list of strings, or one string of words separated by spaces; returns null if the member is anything else.</summary>
    private static string[]? ListOf(JsonElement document, string name)
    {
        if (document.TextOf(name) is { } text)
        {
            return text.Split(' ', StringSplitOptions.RemoveEmptyEntries);
        }

        return document.TryGetProperty(name, out JsonElement value) && value.ValueKind is JsonValueKind.Array
            ? [.. value.EnumerateArray().Select(JsonMember.Text).OfType<string>()]
            : null;
    }

    /// <summary>Reads a boolean, or the string "true" or "false", as some servers write it; returns null if the member is anything else.</summary>
    private static bool? FlagOf(JsonElement document, string name) =>
        !document.TryGetProperty(name, out JsonElement value) ? null
        : value.ValueKind is JsonValueKind.True or JsonValueKind.False ? value.GetBoolean()
        : bool.TryParse(JsonMember.Text(value), out bool flag) ? flag
        : null;
}
