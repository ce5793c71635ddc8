namespace McpProxyFast.OAuth.Discovery;

/// <summary>The metadata that a protected resource publishes about itself (RFC 9728 §2).</summary>
/// <remarks>Strings stay as received: <see cref="Uri"/> would add a slash to a bare origin.</remarks>
internal sealed record ResourceMetadata
{
    public string? Resource { get; init; }

    public IReadOnlyList<string>? AuthorizationServers { get; init; }

    public IReadOnlyList<string>? ScopesSupported { get; init; }

    /// <summary>Whether this document covers <paramref name="url"/>: its resource has the same origin, and a path that equals or contains the URL's.</summary>
    /// <remarks>RFC 9728 §3.3. A document at the root of the origin names only the origin, so a path above the URL's is accepted.</remarks>
    public bool Covers(Uri url)
    {
        if (!Uri.TryCreate(Resource, UriKind.Absolute, out Uri? resource) || resource.Fragment.Length > 0)
        {
            return false;
        }

        string path = resource.AbsolutePath.TrimEnd('/');
        return resource.Scheme == url.Scheme
            && resource.IdnHost == url.IdnHost
            && resource.Port == url.Port
            && url.AbsolutePath.StartsWith(path, StringComparison.Ordinal)
            && (url.AbsolutePath.Length == path.Length || url.AbsolutePath[path.Length] == '/');
    }
}
