using McpProxyFast.Tokens;

namespace McpProxyFast.Admission;

/// <summary>One way of validating tokens, with its own limits and its own queue. If it is slow, tokens of other lanes are not delayed.</summary>
/// <param name="Validator">Validates a token. It is called once for each token, and never on a thread that serves sockets.</param>
/// <param name="Limits">How many tokens are validated at the same time, how many may wait, and for how long.</param>
/// <param name="Overflow">The reason in the log if too many tokens wait, or a token has waited too long.</param>
internal sealed record TokenLane(ITokenValidator Validator, FlightLimits Limits, string Overflow);
