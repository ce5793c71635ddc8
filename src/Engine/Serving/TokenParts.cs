using McpProxyFast.Admission;

namespace McpProxyFast.Serving;

/// <summary>The parts that check incoming tokens.</summary>
/// <param name="Gate">Decides whether a token is accepted.</param>
/// <param name="Challenge">Writes the challenges.</param>
/// <param name="Document">The metadata that tells a client where to get a token.</param>
/// <param name="PassesAuthorization">The caller's token is passed on to the upstream.</param>
internal sealed record TokenParts(TokenGate Gate, BearerChallenge Challenge, ProtectedResourceDocument Document, bool PassesAuthorization);
