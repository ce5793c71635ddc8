namespace McpProxyFast.OAuth.Discovery;

/// <summary>The metadata that a protected resource publishes about itself (RFC 9728 §2).</summary>
/// <remarks>The strings are kept as received: <see cref="Uri"/> would add a slash to a URL that is only an origin.</remarks>
internal sealed record ResourceMetadata
{
    public string? Resource { get; init; }

    public IReadOnlyList<string>? AuthorizationServers { get; init; }

    public IReadOnlyList<string>? ScopesSupported { get; init; }

    /// <summary>
    /// Whether this document covers <paramref name="url"/>: its resource has the same origin, and its resource's path equals the URL's or is a parent of it.
    /// </summary>
    /// <remarks>
    /// RFC 9728 §3.3. A document at the well-known URL of the origin often names only the origin as the resource, so a parent path is accepted.
    /// </remarks>
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
