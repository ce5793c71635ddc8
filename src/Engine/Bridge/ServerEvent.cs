namespace McpProxyFast.Bridge;

/// <summary>One event of a server's stream (HTML §9.2).</summary>
/// <param name="Name">Its type; <c>message</c> unless named.</param>
/// <param name="Data">Its data, which is the receiver's now; line ends within join its lines.</param>
/// <param name="IsTooLarge">The data was above <see cref="BridgeLimits.MaxMessageBytes"/> and was dropped.</param>
internal readonly record struct ServerEvent(string Name, MessageBuffer Data, bool IsTooLarge);
