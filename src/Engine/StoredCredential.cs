namespace McpProxyFast;

/// <summary>One entry of the credential store, without the credential itself.</summary>
/// <param name="Target">The target for which the credential is.</param>
/// <param name="Issuer">The issuer of the credential.</param>
/// <param name="ClientId">The proxy's client id at the issuer.</param>
/// <param name="Scopes">The scopes that were asked for.</param>
/// <param name="ExpiresAt">When the access token expires; null if that is not known.</param>
/// <param name="IsRenewable">Whether it can be renewed without a person.</param>
public sealed record StoredCredential(
    string Target, string Issuer, string ClientId, IReadOnlyList<string> Scopes, DateTimeOffset? ExpiresAt, bool IsRenewable);
