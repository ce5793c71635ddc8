namespace McpProxyFast.Outcomes;

/// <summary>
/// What an authorization server requires from a caller before it issues a token. The client gets it in the bearer challenge, so that it can sign in again.
/// </summary>
/// <param name="Error">The value of <c>error</c> in the challenge.</param>
/// <param name="Claims">A claims request in Base64, the form that Microsoft's clients expect; null if there is none.</param>
/// <param name="AcrValues">Authentication contexts, separated by spaces (RFC 9470 §3); null if there are none.</param>
/// <param name="MaxAge">The maximum number of seconds since the last sign-in (RFC 9470 §3); null if there is no limit.</param>
internal sealed record StepUpChallenge(string Error, string? Claims, string? AcrValues, string? MaxAge);
