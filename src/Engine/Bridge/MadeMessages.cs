using System.Diagnostics;
using System.Threading.Channels;
using McpProxyFast.Bridge.Messages;

namespace McpProxyFast.Bridge;

/// <summary>A queue of the messages for the server that a translation between protocol revisions has made. Some are sent only after a pause.</summary>
/// <param name="gate">The lock that callers hold while they change the queue, so that a cancellation cannot overtake the request that it cancels.</param>
/// <param name="clock">Times the pauses.</param>
internal sealed class MadeMessages(Lock gate, TimeProvider clock)
{
    /// <summary>The messages that may be sent now. The reader takes all of them before it waits for the client again, so only few wait here.</summary>
    private readonly Channel<MessageBuffer> _due = Channel.CreateUnbounded<MessageBuffer>();

    /// <summary>For the id of each request whose pause is not over: the source that cancels the pause. Guarded by the gate.</summary>
    private readonly Dictionary<MessageId, CancellationTokenSource> _delayed = [];

    /// <summary>Removes and returns the next message that may be sent now, which the caller must dispose of. Null if there is none.</summary>
    public MessageBuffer? TryRead() => _due.Reader.TryRead(out MessageBuffer? message) ? message : null;

    /// <summary>Waits until a message may be sent.</summary>
    public Task WaitAsync(CancellationToken cancellationToken) => _due.Reader.WaitToReadAsync(cancellationToken).AsTask();

    /// <summary>Adds a message that may be sent at once.</summary>
    public void Send(MessageBuffer message)
    {
        Debug.Assert(gate.IsHeldByCurrentThread, "The lock keeps the messages in their order.");
        bool isTaken = _due.Writer.TryWrite(message);
        Debug.Assert(isTaken, "The channel is unbounded and never completed.");
    }

    /// <summary>Adds a request that is to be sent after a pause.</summary>
    public void SendLater(MessageId id, MessageBuffer message, TimeSpan after)
    {
        Debug.Assert(gate.IsHeldByCurrentThread, "The lock keeps the messages in their order.");
        var waiting = new CancellationTokenSource();
        _delayed.Add(id, waiting);
        _ = SendLaterAsync(id, message, after, waiting); // never throws
    }

    /// <summary>Removes a request that <see cref="SendLater"/> has added, if its pause is not over. The request is then never sent.</summary>
    /// <returns>Whether such a request was removed.</returns>
    public bool TryTakeBack(MessageId id)
    {
        Debug.Assert(gate.IsHeldByCurrentThread, "The lock keeps a pause from ending while its request is taken back.");
        if (!_delayed.Remove(id, out CancellationTokenSource? waiting))
        {
            return false;
        }

        waiting.Cancel();
        return true;
    }

    /// <summary>Removes all messages from the queue, also those whose pause is not over.</summary>
    /// <returns>The ids of the requests among them.</returns>
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

        message.Dispose(); // TryTakeBack has removed the request
    }
}
