using Microsoft.Extensions.Logging;

namespace McpProxyFast.Bridge;

/// <summary>The settings of a conversation between one client and one server.</summary>
internal sealed record BridgeSettings
{
    /// <summary>The server's URL, as the host has set it. The URL in an <c>endpoint</c> event is resolved against it.</summary>
    public required Uri Target { get; init; }

    public required McpBridgeTransport Transport { get; init; }

    public required McpBridgeProtocol Protocol { get; init; }

    /// <summary>How long requests wait while the server cannot be reached.</summary>
    public required TimeSpan ReconnectTimeout { get; init; }

    /// <summary>How long the first request waits for a person to sign in; zero if nobody has to.</summary>
    public required TimeSpan SignInTimeout { get; init; }

    /// <summary>How long the bridge waits for open answers once the client's input has ended.</summary>
    public required TimeSpan DrainTimeout { get; init; }

    /// <summary>How long the bridge waits for open answers once it is told to stop.</summary>
    public required TimeSpan StopTimeout { get; init; }

    /// <summary>The names of tools that the client does not see; <c>*</c> and <c>?</c> are wildcards.</summary>
    public required IReadOnlyList<string> IgnoredTools { get; init; }

    /// <summary>Whether the host has set a credential. If so, a 401 does not mean that the credential is missing.</summary>
    public required bool HasCredential { get; init; }

    /// <summary>Whether messages of the server may be changed: tools are cut out of lists.</summary>
    public bool ChangesMessages => IgnoredTools.Count > 0;

    public required ILogger Logger { get; init; }

    public required TimeProvider Clock { get; init; }
}
