using McpProxyFast.Tokens;

namespace McpProxyFast.Admission;

/// <summary>A validator with a queue and limits of its own. If it is slow, it does not delay the tokens of other lanes.</summary>
/// <param name="Validator">Validates a token. It is called only if there is no cached verdict, and never on a thread that serves sockets.</param>
/// <param name="Limits">How many tokens are validated at the same time, how many may wait, and for how long.</param>
/// <param name="Overflow">The reason in the log if too many tokens wait, or a token has waited too long.</param>
internal sealed record TokenLane(ITokenValidator Validator, FlightLimits Limits, string Overflow);
