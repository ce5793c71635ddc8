using Microsoft.IdentityModel.Tokens;

namespace McpProxyFast.Admission;

/// <summary>The keys that may have signed a token, or the verdict where there are none.</summary>
internal readonly record struct KeyLookup(IReadOnlyList<SecurityKey> Keys, TokenVerdict? Refusal);
