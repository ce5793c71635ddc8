using System.Buffers;
using McpProxyFast.Bridge;
using McpProxyFast.Bridge.Messages;

namespace McpProxyFast.Cli.Tunnels.OpenAi;

/// <summary>Collects the answers that come on a stream, until all requests of the command's message are answered.</summary>
/// <param name="asked">The command's message. It has at least one request.</param>
internal sealed class CollectedAnswers(CommandMessage asked) : IDisposable
{
    /// <summary>The ids of the requests that are not answered yet.</summary>
    private readonly HashSet<MessageId> _open = [.. asked.Requests];

    /// <summary>The answers in the order of their arrival. They are slices of <see cref="_held"/>.</summary>
    private readonly List<ReadOnlySequence<byte>> _answers = [];

    /// <summary>The messages that contain the answers.</summary>
    private readonly List<MessageBuffer> _held = [];

    /// <summary>Whether one error has answered all requests that were open.</summary>
    private bool _isRefused;

    /// <summary>Whether no further answer is needed.</summary>
    public bool IsWhole => _isRefused || _open.Count == 0;

    /// <summary>Whether at least one answer has come.</summary>
    public bool HasSome => _answers.Count > 0;

    /// <summary>Keeps a message if it answers an open request.</summary>
    /// <param name="message">The message. If it is kept, this object disposes of it, unless <see cref="Release"/> gives it to the caller.</param>
    /// <param name="head">The head of the message.</param>
    /// <returns>Whether the message was kept.</returns>
    public bool Take(MessageBuffer message, RpcHead head)
    {
        int before = _answers.Count;
        if (head.Kind is MessageKind.Batch)
        {
            foreach (ReadOnlySequence<byte> part in BatchReader.Split(message.Bytes, BridgeLimits.MaxBatch) ?? [])
            {
                Take(part, MessageScanner.Scan(part));
            }
        }
        else
        {
            Take(message.Bytes, head);
        }

        if (_answers.Count == before)
        {
            return false;
        }

        _held.Add(message);
        return true;
    }

    /// <summary>
    /// Returns the message to post: the one answer, or all answers as a batch. The caller must dispose of the returned buffers, which the message is made of.
    /// </summary>
    /// <param name="missing">Makes the error for a request that was not answered.</param>
    public (ReadOnlySequence<byte> Message, MessageBuffer[] Held) Release(Func<MessageId, ReadOnlySequence<byte>> missing)
    {
        MessageBuffer[] held = [.. _held];
        _held.Clear();
        bool isOne = !asked.IsBatch || (_isRefused && _answers.Count == 1);
        return (isOne ? _answers[0] : BatchOf([.. _answers, .. _isRefused ? [] : _open.Select(missing)]), held);
    }

    /// <summary>Joins messages into a batch.</summary>
    public static ReadOnlySequence<byte> BatchOf(IReadOnlyList<ReadOnlySequence<byte>> messages) => JoinedBytes.Of(
        [.. messages.SelectMany((message, i) => (ReadOnlySequence<byte>[])[Literal(i == 0 ? "["u8 : ","u8), message]), Literal("]"u8)]);

    public void Dispose() => _held.ForEach(message => message.Dispose());

    private static ReadOnlySequence<byte> Literal(ReadOnlySpan<byte> text) => new(text.ToArray());

    private void Take(in ReadOnlySequence<byte> message, RpcHead head)
    {
        if (!head.IsAnswer)
        {
            return;
        }

        bool answers = head.Id is { } id && _open.Remove(id);

        // An error without an id answers the whole batch. On the stream of a single request, any error answers that request, whatever id it has.
        _isRefused |= !answers && head.Kind is MessageKind.ErrorResponse && (head.Id is null || !asked.IsBatch);
        if (answers || _isRefused)
        {
            _answers.Add(message);
        }
    }
}
