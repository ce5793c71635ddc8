using McpProxyFast.OAuth.Discovery;

namespace McpProxyFast.Credentials;

/// <summary>A 401 or 403 from the upstream.</summary>
/// <param name="Request">The request.</param>
/// <param name="Status">401, or 403.</param>
/// <param name="WwwAuthenticate">Every <c>WWW-Authenticate</c> value, as received.</param>
/// <param name="DPoPNonce">The value of <c>DPoP-Nonce</c>.</param>
/// <param name="Used">The line that the request went out with, or null.</param>
/// <param name="Attempt">How many times this request has been replayed so far; 0 at its first answer.</param>
internal sealed record UpstreamChallenge(
    UpstreamRequest Request, int Status, IReadOnlyList<string> WwwAuthenticate, string? DPoPNonce, CredentialLine? Used, int Attempt)
{
    /// <summary>What asks for an access token; null if nothing does.</summary>
    public Challenge? Asked { get; } = Challenge.Choose(WwwAuthenticate);

    /// <summary>A 401 that names schemes, and none that a token would answer: it says nothing about the token.</summary>
    public bool AsksForAnother => Status == 401 && WwwAuthenticate.Count > 0 && Asked is null;
}
