namespace McpProxyFast.OAuth.Store;

/// <summary>The proxy's client at one authorization server.</summary>
internal sealed record ClientIdentity
{
    public required string Id { get; init; }

    public string? Secret { get; init; }

    /// <summary>How it proves that at the token endpoint, in the words of RFC 7591 §2.</summary>
    public required string Method { get; init; }

    /// <summary>Whether it was registered by the proxy itself, so that it can be registered again.</summary>
    public bool IsRegistered { get; init; }

    /// <summary>The redirect URI that it was registered with.</summary>
    public string? RedirectUri { get; init; }

    /// <summary>The scopes that it was registered for; null or none if any may be asked for (RFC 7591 §2).</summary>
    public IReadOnlyList<string>? Scopes { get; init; }

    /// <summary>When the secret ends, in seconds since 1970; 0 or null for never.</summary>
    public long? SecretExpiresAt { get; init; }

    /// <summary>Says what this is about, without a secret.</summary>
    public override string ToString() => $"{Id}, {Method}";
}
