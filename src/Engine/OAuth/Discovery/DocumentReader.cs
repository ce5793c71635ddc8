using System.Text.Json;

namespace McpProxyFast.OAuth.Discovery;

/// <summary>Reads metadata documents as real servers write them: a member of another kind than its RFC gives it is ignored.</summary>
/// <remarks>
/// That makes nothing less strict. What a server is checked by is read the strict way round: <c>authorization_response_iss_parameter_supported</c> in any
/// form but a clear no means that <c>iss</c> has to come, and <c>code_challenge_methods_supported</c> in a form that cannot be read offers nothing.
/// </remarks>
internal static class DocumentReader
{
    /// <summary>RFC 8414 §2, OpenID Connect Discovery 1.0 §3.</summary>
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

    /// <summary>RFC 9728 §2.</summary>
    public static ResourceMetadata ReadResource(JsonElement document) => new()
    {
        Resource = document.TextOf("resource"),
        AuthorizationServers = ListOf(document, "authorization_servers"),
        ScopesSupported = ListOf(document, "scopes_supported"),
    };

    private static bool IsThere(JsonElement document, string name) =>
        document.TryGetProperty(name, out JsonElement value) && value.ValueKind is not JsonValueKind.Null;

    /// <summary>A list of texts, or one text with blanks between them; null for anything else.</summary>
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

    /// <summary>A truth value, or the word for one, as some servers write it; null for anything else.</summary>
    private static bool? FlagOf(JsonElement document, string name) =>
        !document.TryGetProperty(name, out JsonElement value) ? null
        : value.ValueKind is JsonValueKind.True or JsonValueKind.False ? value.GetBoolean()
        : bool.TryParse(JsonMember.Text(value), out bool flag) ? flag
        : null;
}
