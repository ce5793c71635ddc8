namespace McpProxyFast.Credentials;

/// <summary>The request that a credential is for.</summary>
/// <param name="Method">The method.</param>
/// <param name="Url">What is really asked upstream; of a bare-origin target only this tells the resource's path.</param>
/// <param name="Caller">The caller's token; null if the credential does not depend on it.</param>
internal readonly record struct UpstreamRequest(string Method, Uri Url, CallerToken? Caller = null);
