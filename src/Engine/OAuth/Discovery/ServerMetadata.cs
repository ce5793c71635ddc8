namespace McpProxyFast.OAuth.Discovery;

/// <summary>What an authorization server publishes about itself (RFC 8414 §2, OpenID Connect Discovery 1.0 §3).</summary>
internal sealed record ServerMetadata
{
    /// <summary>The issuer, byte for byte; compared by ordinal equality (RFC 9207 §2.4).</summary>
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

    /// <summary>Whether there was no document: endpoints given by hand, or by the fallback of the 2025-03-26 revision.</summary>
    public bool IsAssumed { get; init; }
}
