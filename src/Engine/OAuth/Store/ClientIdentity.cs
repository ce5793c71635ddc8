namespace McpProxyFast.OAuth.Store;

/// <summary>The proxy's OAuth client at one authorization server.</summary>
internal sealed record ClientIdentity
{
    public required string Id { get; init; }

    public string? Secret { get; init; }

    /// <summary>How the client authenticates at the token endpoint, named as in RFC 7591 §2.</summary>
    public required string Method { get; init; }

    /// <summary>Whether the proxy itself has registered the client, so that it can be registered again.</summary>
    public bool IsRegistered { get; init; }

    /// <summary>The redirect URI that the client was registered with; null if none.</summary>
    public string? RedirectUri { get; init; }

    /// <summary>The scopes that the client was registered with; null or empty if it may ask for any (RFC 7591 §2).</summary>
    public IReadOnlyList<string>? Scopes { get; init; }

    /// <summary>When the client's secret expires, in seconds since 1970; 0 or null if never.</summary>
    public long? SecretExpiresAt { get; init; }

    /// <summary>A description for logs, without a secret.</summary>
    public override string ToString() => $"{Id}, {Method}";
}
