namespace McpProxyFast.OAuth.Discovery;

/// <summary>Who protects the upstream, and what it wants to see.</summary>
/// <param name="Server">The authorization server.</param>
/// <param name="IsOperators">Whether the operator, not the upstream, named that server.</param>
/// <param name="Resource">The resource indicator to send (RFC 8707), byte for byte, or null for none.</param>
/// <param name="Path">Where on the upstream's origin the resource lies that asks for it: what has the token may be sent no higher.</param>
/// <param name="ScopesSupported">The scopes that the resource lists.</param>
internal sealed record Protection(ServerMetadata Server, bool IsOperators, string? Resource, string Path, IReadOnlyList<string> ScopesSupported)
{
    /// <summary>Whether nobody has named the server's endpoints.</summary>
    public bool IsGuessed => Server.IsAssumed && !IsOperators;

    /// <summary>What was asked to find it out, and what came; empty where nothing was.</summary>
    public string FoundBy { get; init; } = "";
}
