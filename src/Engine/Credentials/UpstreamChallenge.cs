using McpProxyFast.OAuth.Discovery;

namespace McpProxyFast.Credentials;

/// <summary>A 401 or 403 from the upstream.</summary>
/// <param name="Request">The request that was answered.</param>
/// <param name="Status">The status: 401 or 403.</param>
/// <param name="WwwAuthenticate">Every <c>WWW-Authenticate</c> value, as received.</param>
/// <param name="DPoPNonce">The value of <c>DPoP-Nonce</c>; null if there is none.</param>
/// <param name="Used">The credential that the request was sent with; null if none.</param>
/// <param name="Attempt">How many times this request has been sent again so far; 0 for its first answer.</param>
internal sealed record UpstreamChallenge(
    UpstreamRequest Request, int Status, IReadOnlyList<string> WwwAuthenticate, string? DPoPNonce, CredentialLine? Used, int Attempt)
{
    /// <summary>The challenge that asks for an access token; null if there is none.</summary>
    public Challenge? Asked { get; } = Challenge.Choose(WwwAuthenticate);

    /// <summary>Whether it is a 401 whose challenges all ask for something other than an access token. Such a 401 says nothing about the token.</summary>
    public bool AsksForAnother => Status == 401 && WwwAuthenticate.Count > 0 && Asked is null;
}
