using Microsoft.Extensions.Logging;

namespace McpProxyFast.Bridge;

/// <summary>The settings of a conversation between one client and one server.</summary>
internal sealed record BridgeSettings
{
    /// <summary>The server's URL. In HTTP+SSE, the URL in the <c>endpoint</c> event is resolved against it.</summary>
    public required Uri Target { get; init; }

    public required McpBridgeTransport Transport { get; init; }

    public required McpBridgeProtocol Protocol { get; init; }

    /// <summary>How long messages are sent again and again while the server cannot be reached. After that, their requests get an error.</summary>
    public required TimeSpan ReconnectTimeout { get; init; }

    /// <summary>How long messages without a session wait for a person to sign in; zero if no sign-in is needed. After that, they get an error.</summary>
    public required TimeSpan SignInTimeout { get; init; }

    /// <summary>How long the bridge waits for the answers to open requests when the client's input has ended. After that, the requests get an error.</summary>
    public required TimeSpan DrainTimeout { get; init; }

    /// <summary>How long the bridge waits for the answers to open requests when it is told to stop. After that, the requests get an error.</summary>
    public required TimeSpan StopTimeout { get; init; }

    /// <summary>The names of the tools that are hidden from the client and that it cannot call; <c>*</c> and <c>?</c> are wildcards.</summary>
    public required IReadOnlyList<string> IgnoredTools { get; init; }

    /// <summary>Whether the bridge was started with a credential, or with header fields that may contain one. If not, a 401 means that it is needed.</summary>
    public required bool HasCredential { get; init; }

    /// <summary>Whether messages of the server may be changed: hidden tools are removed from lists of tools.</summary>
    public bool ChangesMessages => IgnoredTools.Count > 0;

    public required ILogger Logger { get; init; }

    public required TimeProvider Clock { get; init; }
}
