using Microsoft.IdentityModel.Tokens;

namespace McpProxyFast.Admission;

/// <summary>The keys that may have signed a token, or the verdict if there are none.</summary>
/// <param name="Keys">In the order in which they are tried.</param>
/// <param name="KeySet">Where they come from.</param>
/// <param name="TrustedUntil">Up to when the keys may be used without the issuer having confirmed them; no verdict by them holds longer.</param>
/// <param name="Refusal">Null if there are keys.</param>
internal readonly record struct KeyLookup(IReadOnlyList<SecurityKey> Keys, IssuerKeySet KeySet, DateTimeOffset TrustedUntil, TokenVerdict? Refusal);
