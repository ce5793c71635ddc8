namespace McpProxyFast;

/// <summary>One entry of the credential store, without the credential itself.</summary>
/// <param name="Target">The target that the credential is for: its URL without the query.</param>
/// <param name="Issuer">The issuer of the credential; the token endpoint if the server was given by its endpoints.</param>
/// <param name="ClientId">The proxy's client id at the issuer.</param>
/// <param name="Scopes">The scopes that the proxy asked for.</param>
/// <param name="ExpiresAt">When the access token expires; null if that is not known.</param>
/// <param name="IsRenewable">Whether there is a refresh token, so that the credential can be renewed without a person.</param>
public sealed record StoredCredential(
    string Target, string Issuer, string ClientId, IReadOnlyList<string> Scopes, DateTimeOffset? ExpiresAt, bool IsRenewable);
