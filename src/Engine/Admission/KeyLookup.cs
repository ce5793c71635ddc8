using Microsoft.IdentityModel.Tokens;

namespace McpProxyFast.Admission;

/// <summary>The keys that may have signed a token, or the verdict if there are none.</summary>
/// <param name="Keys">The keys, in the order in which they are tried.</param>
/// <param name="KeySet">The key set that they are from.</param>
/// <param name="TrustedUntil">
/// Until when the keys may be used, if no later fetch succeeds. A verdict that is based on them is not reused after this time.
/// </param>
/// <param name="Refusal">The verdict if there are no keys; otherwise null.</param>
internal readonly record struct KeyLookup(IReadOnlyList<SecurityKey> Keys, IssuerKeySet KeySet, DateTimeOffset TrustedUntil, TokenVerdict? Refusal);
