namespace McpProxyFast.Outcomes;

/// <summary>What an authorization server requires of a caller before it issues a token. It is put into the challenge, so that the client can act.</summary>
/// <param name="Error">The challenge's error code.</param>
/// <param name="Claims">A claims request as Base64, as Microsoft's clients take it; null for none.</param>
/// <param name="AcrValues">Authentication contexts, separated by blanks (RFC 9470 §3); null for none.</param>
/// <param name="MaxAge">Seconds since the last sign-in (RFC 9470 §3); null for no limit.</param>
internal sealed record StepUpChallenge(string Error, string? Claims, string? AcrValues, string? MaxAge);
