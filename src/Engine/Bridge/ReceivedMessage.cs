namespace McpProxyFast.Bridge;

/// <summary>What a front has received: a message, the end, or a message that was read past and not held.</summary>
/// <param name="Message">The bytes, which are the receiver's now; null at the end, and for what was not held.</param>
/// <param name="Refusal">Why it was not held; null otherwise.</param>
/// <param name="Id">The raw JSON of the request's id, where that was seen; empty otherwise.</param>
internal readonly record struct ReceivedMessage(MessageBuffer? Message, BridgeFaultReason? Refusal = null, ReadOnlyMemory<byte> Id = default)
{
    /// <summary>The client sends no more.</summary>
    public bool IsEnd => Message is null && Refusal is null;
}
