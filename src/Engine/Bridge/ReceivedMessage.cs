namespace McpProxyFast.Bridge;

/// <summary>What a front has received: a message, the end of the client's input, or a message that was refused and skipped.</summary>
/// <param name="Message">The message's bytes, which the receiver must dispose of; null at the end, and for a refused message.</param>
/// <param name="Refusal">Why the message was refused; null if it was not.</param>
/// <param name="Id">The raw JSON of a refused request's id; empty if it was not found.</param>
/// <param name="EndedFor">At the end: how long ago the input ended.</param>
internal readonly record struct ReceivedMessage(
    MessageBuffer? Message, BridgeFaultReason? Refusal = null, ReadOnlyMemory<byte> Id = default, TimeSpan EndedFor = default)
{
    /// <summary>Whether this is the end of the client's input.</summary>
    public bool IsEnd => Message is null && Refusal is null;
}
