using McpProxyFast.Bridge.Messages;

namespace McpProxyFast.Bridge;

/// <summary>One server-sent event (HTML §9.2).</summary>
/// <param name="Name">The event's type; <c>message</c> if the event does not name one.</param>
/// <param name="Data">The event's data, which the receiver must dispose of. The values of several data lines are joined with LF.</param>
/// <param name="IsTooLarge">Whether the data was larger than <see cref="BridgeLimits.MaxMessageBytes"/>. Then <c>Data</c> is empty.</param>
/// <param name="AnswerId">If the data was too large and is an answer: the id of the request that it answers. Otherwise null.</param>
internal readonly record struct ServerEvent(string Name, MessageBuffer Data, bool IsTooLarge, MessageId? AnswerId);
