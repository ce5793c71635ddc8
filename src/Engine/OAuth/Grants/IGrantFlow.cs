using McpProxyFast.OAuth.Discovery;
using McpProxyFast.OAuth.Net;
using McpProxyFast.OAuth.Store;

namespace McpProxyFast.OAuth.Grants;

/// <summary>Runs one kind of OAuth grant to obtain new tokens.</summary>
internal interface IGrantFlow
{
    /// <exception cref="OAuthException">No token was issued. The message says what a person can do.</exception>
    Task<IssuedCredential> RunAsync(Protection protection, IReadOnlyList<string> scopes, DPoPKey? dpopKey, CancellationToken cancellationToken);
}
