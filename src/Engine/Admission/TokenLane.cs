using McpProxyFast.Tokens;

namespace McpProxyFast.Admission;

/// <summary>One way to look at tokens, with places and a queue of its own: where it hangs, the tokens of another way go on.</summary>
/// <param name="Validator">Asked once per token, never on a socket's thread.</param>
/// <param name="Limits">How many tokens are looked at at the same time, how many wait until they are, and for how long.</param>
/// <param name="Overflow">The code for the log where there is no place for a token, or it has waited too long.</param>
internal sealed record TokenLane(ITokenValidator Validator, FlightLimits Limits, string Overflow);
