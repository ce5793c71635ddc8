namespace McpProxyFast.OAuth.Discovery;

/// <summary>The authorization server that protects the upstream, and what a token for the upstream needs.</summary>
/// <param name="Server">The authorization server.</param>
/// <param name="IsOperators">Whether the operator, and not the upstream, has named that server.</param>
/// <param name="Resource">The resource indicator to send (RFC 8707), byte for byte as it was found; null to send none.</param>
/// <param name="Path">The path of the resource that asks for the token. Requests outside this path must not carry the token.</param>
/// <param name="ScopesSupported">The scopes that the resource lists.</param>
internal sealed record Protection(ServerMetadata Server, bool IsOperators, string? Resource, string Path, IReadOnlyList<string> ScopesSupported)
{
    /// <summary>Whether the server's endpoints are only assumed: neither the operator nor a metadata document has named them.</summary>
    public bool IsGuessed => Server.IsAssumed && !IsOperators;

    /// <summary>The requests by which the server was found, and their results, for error messages; empty if no requests were made.</summary>
    public string FoundBy { get; init; } = "";
}
