namespace McpProxyFast.Bridge;

/// <summary>What a front has received: a message, the end, or a message that is too large to be held.</summary>
/// <param name="Message">The bytes, which are the receiver's now; null at the end, and for what was too large.</param>
/// <param name="IsTooLarge">A message above <see cref="BridgeLimits.MaxMessageBytes"/> came and was dropped.</param>
/// <param name="Id">The raw JSON of its id, where that was seen; empty otherwise.</param>
internal readonly record struct ReceivedMessage(MessageBuffer? Message, bool IsTooLarge = false, ReadOnlyMemory<byte> Id = default)
{
    /// <summary>The client sends no more.</summary>
    public bool IsEnd => Message is null && !IsTooLarge;
}
