using McpProxyFast.Admission;

namespace McpProxyFast.Serving;

/// <summary>What incoming protection consists of.</summary>
/// <param name="Gate">Decides about tokens.</param>
/// <param name="Challenge">Words the challenges.</param>
/// <param name="Document">The metadata that tells a client where to get a token.</param>
/// <param name="PassesAuthorization">The caller's token goes on to the upstream.</param>
internal sealed record TokenParts(TokenGate Gate, BearerChallenge Challenge, ProtectedResourceDocument Document, bool PassesAuthorization);
