using McpProxyFast.OAuth.Discovery;
using McpProxyFast.OAuth.Net;
using McpProxyFast.OAuth.Store;

namespace McpProxyFast.OAuth.Grants;

/// <summary>One way to a first token.</summary>
internal interface IGrantFlow
{
    /// <exception cref="OAuthException">There is no token; the message says what a person can do.</exception>
    Task<IssuedCredential> RunAsync(Protection protection, IReadOnlyList<string> scopes, DPoPKey? dpopKey, CancellationToken cancellationToken);
}
