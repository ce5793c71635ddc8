using System.Diagnostics;
using System.Threading.Channels;
using McpProxyFast.Bridge.Messages;

namespace McpProxyFast.Bridge;

/// <summary>Messages for the server that are made where eras are joined, in their order; some wait for their time.</summary>
/// <param name="gate">Held while they change, so that a message's cancellation cannot overtake it.</param>
/// <param name="clock">For those that wait.</param>
internal sealed class MadeMessages(Lock gate, TimeProvider clock)
{
    /// <summary>Those that are due. They are as many as the join has open requests, and their cancellations.</summary>
    private readonly Channel<MessageBuffer> _due = Channel.CreateUnbounded<MessageBuffer>();

    /// <summary>Those that wait for their time, by their ids. Guarded by the gate.</summary>
    private readonly Dictionary<MessageId, CancellationTokenSource> _delayed = [];

    /// <summary>Takes the next one that is due, which is the caller's then.</summary>
    public MessageBuffer? TryRead() => _due.Reader.TryRead(out MessageBuffer? message) ? message : null;

    /// <summary>Waits until one is due.</summary>
    public Task WaitAsync(CancellationToken cancellationToken) => _due.Reader.WaitToReadAsync(cancellationToken).AsTask();

    /// <summary>Adds one.</summary>
    public void Send(MessageBuffer message)
    {
        Debug.Assert(gate.IsHeldByCurrentThread, "Messages come in the order in which they were wanted.");
        bool isTaken = _due.Writer.TryWrite(message);
        Debug.Assert(isTaken, "It has no bound of its own, and is never completed.");
    }

    /// <summary>Adds a request that is due later.</summary>
    public void SendLater(MessageId id, MessageBuffer message, TimeSpan after)
    {
        Debug.Assert(gate.IsHeldByCurrentThread, "Messages come in the order in which they were wanted.");
        var waiting = new CancellationTokenSource();
        _delayed.Add(id, waiting);
        _ = SendLaterAsync(id, message, after, waiting); // never throws
    }

    /// <summary>Takes back a request that waits for its time.</summary>
    /// <returns>Whether it did.</returns>
    public bool TryTakeBack(MessageId id)
    {
        Debug.Assert(gate.IsHeldByCurrentThread, "What is taken back does not become due meanwhile.");
        if (!_delayed.Remove(id, out CancellationTokenSource? waiting))
        {
            return false;
        }

        waiting.Cancel();
        return true;
    }

    /// <summary>Takes back everything that nobody has read.</summary>
    /// <returns>The requests among it.</returns>
    public List<MessageId> TakeAllBack()
    {
        List<MessageId> requests = [.. _delayed.Keys];
        requests.ForEach(id => TryTakeBack(id));
        while (TryRead() is { } message)
        {
            using (message)
            {
                if (MessageScanner.Scan(message.Bytes) is { Kind: MessageKind.Request, Id: { } id })
                {
                    requests.Add(id);
                }
            }
        }

        return requests;
    }

    private async Task SendLaterAsync(MessageId id, MessageBuffer message, TimeSpan after, CancellationTokenSource waiting)
    {
        using (waiting)
        {
            await Task.Delay(after, clock, waiting.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            lock (gate)
            {
                if (!waiting.IsCancellationRequested && _delayed.Remove(id))
                {
                    Send(message);
                    return;
                }
            }
        }

        message.Dispose(); // it was taken back
    }
}
