using McpProxyFast.Bridge.Eras;

namespace McpProxyFast.Bridge;

/// <summary>Bounds what comes in on the exchange of one message, as <see cref="LargeMessages"/> does, and tells of a large answer while it comes in.</summary>
/// <param name="parts">The conversation's.</param>
/// <param name="message">The message.</param>
internal sealed class AnswerBound(UpstreamParts parts, ClientMessage message) : IMessageBound
{
    /// <summary>It has been told of.</summary>
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
