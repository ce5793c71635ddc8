namespace McpProxyFast.Credentials;

/// <summary>The request that a credential is for.</summary>
/// <param name="Method">The method.</param>
/// <param name="Url">The URL that is requested from the upstream. If the target's URL has no path, only this URL shows which resource is meant.</param>
/// <param name="Caller">The caller's token; null if the credential does not depend on it.</param>
internal readonly record struct UpstreamRequest(string Method, Uri Url, CallerToken? Caller = null);
