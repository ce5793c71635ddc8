using System.Buffers;
using McpProxyFast.Bridge;
using McpProxyFast.Bridge.Messages;

namespace McpProxyFast.Cli.Tunnels.OpenAi;

/// <summary>The answers that have come on a stream, until the command's message is answered whole.</summary>
/// <param name="asked">The command's message, which has requests.</param>
internal sealed class CollectedAnswers(CommandMessage asked) : IDisposable
{
    /// <summary>The requests that are not answered.</summary>
    private readonly HashSet<MessageId> _open = [.. asked.Requests];

    /// <summary>The answers, in the order of their arrival: slices of what is held.</summary>
    private readonly List<ReadOnlySequence<byte>> _answers = [];

    /// <summary>The messages that the answers lie in.</summary>
    private readonly List<MessageBuffer> _held = [];

    /// <summary>An error has answered all that was open.</summary>
    private bool _isRefused;

    /// <summary>Nothing more is waited for.</summary>
    public bool IsWhole => _isRefused || _open.Count == 0;

    /// <summary>Whether some of a batch is answered.</summary>
    public bool HasSome => _answers.Count > 0;

    /// <summary>Takes a message, if it answers something that is open.</summary>
    /// <param name="message">Is held from now on if it was taken.</param>
    /// <param name="head">What was read of it.</param>
    /// <returns>Whether it was taken.</returns>
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

    /// <summary>What is posted: the one answer, or those of a batch as a batch. The caller that gets it owns what is held.</summary>
    /// <param name="missing">Makes an error for a request that was not answered.</param>
    public (ReadOnlySequence<byte> Message, MessageBuffer[] Held) Release(Func<MessageId, ReadOnlySequence<byte>> missing)
    {
        MessageBuffer[] held = [.. _held];
        _held.Clear();
        bool isOne = !asked.IsBatch || (_isRefused && _answers.Count == 1);
        return (isOne ? _answers[0] : BatchOf([.. _answers, .. _isRefused ? [] : _open.Select(missing)]), held);
    }

    /// <summary>Joins messages to a batch.</summary>
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

        // An error that names no request of a batch answers all of it; one on the stream of a single request answers that, whatever it names.
        _isRefused |= !answers && head.Kind is MessageKind.ErrorResponse && (head.Id is null || !asked.IsBatch);
        if (answers || _isRefused)
        {
            _answers.Add(message);
        }
    }
}
