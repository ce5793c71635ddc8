using Microsoft.Extensions.Logging;

namespace McpProxyFast.Bridge;

/// <summary>What a conversation is made with.</summary>
internal sealed record BridgeSettings
{
    /// <summary>The server, as the host named it: what an <c>endpoint</c> event is relative to.</summary>
    public required Uri Target { get; init; }

    public required McpBridgeTransport Transport { get; init; }

    public required McpBridgeProtocol Protocol { get; init; }

    /// <summary>How long requests wait while the server is gone.</summary>
    public required TimeSpan ReconnectTimeout { get; init; }

    /// <summary>How long the first request waits for a person to sign in; zero if nobody has to.</summary>
    public required TimeSpan SignInTimeout { get; init; }

    /// <summary>How long answers are waited for when the client sends no more.</summary>
    public required TimeSpan DrainTimeout { get; init; }

    /// <summary>How long answers are waited for when the bridge is told to stop.</summary>
    public required TimeSpan StopTimeout { get; init; }

    /// <summary>Patterns of tools that the client does not see.</summary>
    public required IReadOnlyList<string> IgnoredTools { get; init; }

    /// <summary>The host sets a credential, so a 401 does not mean that it is missing.</summary>
    public required bool HasCredential { get; init; }

    /// <summary>Lists of tools do not pass as they come.</summary>
    public bool ChangesMessages => IgnoredTools.Count > 0;

    public required ILogger Logger { get; init; }

    public required TimeProvider Clock { get; init; }
}
