namespace McpProxyFast;

/// <summary>What the store says of one credential, without the credential.</summary>
/// <param name="Target">The target that it is for.</param>
/// <param name="Issuer">Who issued it.</param>
/// <param name="ClientId">As whom the proxy is known there.</param>
/// <param name="Scopes">The scopes that were asked for.</param>
/// <param name="ExpiresAt">When the access token ends, or null if that is not known.</param>
/// <param name="IsRenewable">Whether it can be renewed without a person.</param>
public sealed record StoredCredential(
    string Target, string Issuer, string ClientId, IReadOnlyList<string> Scopes, DateTimeOffset? ExpiresAt, bool IsRenewable);
