namespace McpProxyFast.OAuth.Discovery;

/// <summary>The metadata that an authorization server publishes about itself (RFC 8414 §2, OpenID Connect Discovery 1.0 §3).</summary>
internal sealed record ServerMetadata
{
    /// <summary>
    /// The issuer identifier, exactly as it was received. The <c>iss</c> of a redirect is compared with it character by character (RFC 9207 §2.4).
    /// </summary>
    public string? Issuer { get; init; }

    public string? AuthorizationEndpoint { get; init; }

    public string? TokenEndpoint { get; init; }

    public string? RegistrationEndpoint { get; init; }

    public string? RevocationEndpoint { get; init; }

    public string? DeviceAuthorizationEndpoint { get; init; }

    public string? JwksUri { get; init; }

    public IReadOnlyList<string>? ScopesSupported { get; init; }

    public IReadOnlyList<string>? CodeChallengeMethodsSupported { get; init; }

    public IReadOnlyList<string>? TokenEndpointAuthMethodsSupported { get; init; }

    public bool AuthorizationResponseIssParameterSupported { get; init; }

    public bool ClientIdMetadataDocumentSupported { get; init; }

    /// <summary>Whether this is not from a metadata document: the operator has set the endpoints, or they are the default ones of MCP 2025-03-26.</summary>
    public bool IsAssumed { get; init; }
}
