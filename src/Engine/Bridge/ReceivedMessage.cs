namespace McpProxyFast.Bridge;

/// <summary>What has been received from a client: a message, the end of the client's input, or a message that was refused and skipped.</summary>
/// <param name="Message">The message's bytes, which the receiver must dispose of; null at the end of the input, and for a refused message.</param>
/// <param name="Refusal">Why the message was refused; null if it was not.</param>
/// <param name="Id">The raw JSON of a refused request's id; empty if it was not found.</param>
/// <param name="EndedFor">At the end of the input: how long ago it came. It may have been held back since.</param>
internal readonly record struct ReceivedMessage(
    MessageBuffer? Message, BridgeFaultReason? Refusal = null, ReadOnlyMemory<byte> Id = default, TimeSpan EndedFor = default)
{
    /// <summary>Whether this is the end of the client's input.</summary>
    public bool IsEnd => Message is null && Refusal is null;
}
