using McpProxyFast.Bridge.Eras;

namespace McpProxyFast.Bridge;

/// <summary>
/// Bounds the memory of the answer to one message, as <see cref="LargeMessages"/> does, and tells the delivery when the answer turns out to be large.
/// </summary>
/// <param name="parts">What the conversation shares with its transports.</param>
/// <param name="message">The client's message that is being answered.</param>
internal sealed class AnswerBound(UpstreamParts parts, ClientMessage message) : IMessageBound
{
    /// <summary>Whether the delivery has been told that the answer is large, which happens once.</summary>
    private bool _isTold;

    public ValueTask TakeTurnAsync(MessageBuffer answer, CancellationToken cancellationToken)
    {
        if (answer.Length > LegacyRequests.MaxQuestionBytes && !_isTold)
        {
            _isTold = true;
            parts.Delivery.AnswerIsLarge(message);
        }

        return parts.Large.TakeTurnAsync(answer, cancellationToken);
    }

    public ValueTask<int> ReadAsync(Stream stream, Memory<byte> buffer, MessageBuffer answer, CancellationToken cancellationToken) =>
        parts.Large.ReadAsync(stream, buffer, answer, cancellationToken);
}
