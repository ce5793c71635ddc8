using McpProxyFast.Bridge.Eras;

namespace McpProxyFast.Bridge;

/// <summary>
/// Bounds the memory of the server's answer to one message with <see cref="LargeMessages"/>. Tells <see cref="Delivery"/> when the answer has more than
/// <see cref="LegacyRequests.MaxQuestionBytes"/>.
/// </summary>
/// <param name="parts">What all transports of one client share: the connections to the server and to the client, and the limits.</param>
/// <param name="message">The client's message that is being answered.</param>
internal sealed class AnswerBound(UpstreamParts parts, ClientMessage message) : IMessageBound
{
    /// <summary>Whether <see cref="Delivery"/> has been told that the answer is large. It is told at most once.</summary>
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
