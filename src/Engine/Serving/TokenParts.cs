using McpProxyFast.Admission;

namespace McpProxyFast.Serving;

/// <summary>The parts that check incoming tokens.</summary>
/// <param name="Gate">Decides whether a token is accepted.</param>
/// <param name="Challenge">Writes the challenges to requests without an accepted token.</param>
/// <param name="Document">The metadata that tells a client where to get a token.</param>
/// <param name="PassesAuthorization">Whether the caller's token is forwarded to the upstream if the proxy has no credential of its own to send.</param>
internal sealed record TokenParts(TokenGate Gate, BearerChallenge Challenge, ProtectedResourceDocument Document, bool PassesAuthorization);
