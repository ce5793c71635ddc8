using System.Buffers;
using System.Diagnostics;
using McpProxyFast.Bridge.Messages;

namespace McpProxyFast.Bridge;

/// <summary>One message on its way to the server, from its arrival to the end of the HTTP exchange that carries it.</summary>
internal sealed class ClientMessage : IDisposable
{
    /// <summary>The message's bytes; given back early by <see cref="Release"/>.</summary>
    private readonly MessageBuffer _buffer;

    /// <summary>Completed when the response to the message has begun.</summary>
    private readonly TaskCompletionSource _taken = new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <summary>Completed when the messages that came after this one may be sent.</summary>
    private readonly TaskCompletionSource _accepted = new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <summary>Completed when none of the message's requests is open.</summary>
    private readonly TaskCompletionSource _answered = new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <summary>Cancelled to close the exchange with the server.</summary>
    private readonly CancellationTokenSource _closing;

    /// <summary>Guards <see cref="_isSent"/>.</summary>
    private readonly Lock _gate = new();

    /// <summary>Whether the message is being sent, or the server has it.</summary>
    private bool _isSent;

    /// <summary>Takes the answer if the bridge itself has made the message; null for a message of the client.</summary>
    private readonly OwnAnswer? _own;

    /// <param name="buffer">The message's bytes. The message disposes of them.</param>
    /// <param name="head">What the scanner has read from the bytes.</param>
    /// <param name="ending">Cancelled when the bridge ends.</param>
    /// <param name="own">Takes the answer if the bridge itself has made the message; null for a message of the client.</param>
    public ClientMessage(MessageBuffer buffer, RpcHead head, CancellationToken ending, OwnAnswer? own = null)
    {
        (_buffer, Head, _own) = (buffer, head, own);
        _closing = CancellationTokenSource.CreateLinkedTokenSource(ending);
        Closing = _closing.Token;
    }

    public RpcHead Head { get; }

    /// <summary>The requests in the message: one if it is a request, any number if it is a batch, none if it is a notification or an answer.</summary>
    public IReadOnlyList<OpenRequest> Requests { get; set; } = [];

    /// <summary>The message's bytes. Valid until <see cref="Release"/>.</summary>
    public ReadOnlySequence<byte> Bytes => _buffer.Bytes;

    public bool IsInitialize => Head.Kind is MessageKind.Request && Head.Method == Methods.Initialize;

    /// <summary>Whether the bridge itself has made the message.</summary>
    public bool IsOwn => _own is not null;

    /// <summary>
    /// The session id in the response to an <c>initialize</c>. Null if the response has none, and once the <c>initialize</c> has been answered with a result.
    /// </summary>
    public string? GivenSession { get; set; }

    /// <summary>The transport that sends the message; null before one does.</summary>
    public UpstreamTransport? Transport { get; set; }

    /// <summary>Whether the message has been sent again in a new session, which is done at most once.</summary>
    public bool WasSentAgain { get; set; }

    /// <summary>Whether the server's lists of tools have been read for this message, which is done at most once.</summary>
    public bool WereToolsRead { get; set; }

    /// <summary>Cancelled to close the exchange with the server.</summary>
    public CancellationToken Closing { get; }

    /// <summary>Completed when the response to the message has begun, so the server has the message.</summary>
    public Task Taken => _taken.Task;

    /// <summary>Completed when the messages that came after this one may be sent.</summary>
    public Task Accepted => _accepted.Task;

    /// <summary>Completed when none of the message's requests is open.</summary>
    public Task Answered => _answered.Task;

    /// <summary>Whether at least one of the message's requests still waits for an answer.</summary>
    public bool IsOpen => Requests.Any(request => !request.IsEnded);

    /// <summary>Whether nobody waits for an answer any more: each request of the message has ended or was cancelled.</summary>
    public bool IsGivenUp => Requests.All(request => request.IsEnded || request.IsCancelled);

    public void NoteTaken() => _taken.TrySetResult();

    /// <summary>Notes that the message is about to be sent.</summary>
    /// <returns>False if nobody waits for its answer any more. Then it must not be sent.</returns>
    public bool TryBeginSending()
    {
        lock (_gate)
        {
            return _isSent = Requests.Count == 0 || !IsGivenUp;
        }
    }

    /// <summary>Notes that the attempt to send the message has failed, or that the server has refused the message.</summary>
    public void EndSending()
    {
        lock (_gate)
        {
            _isSent = false;
        }
    }

    /// <summary>Gives the message up if it has not been sent and all of its requests have been cancelled.</summary>
    /// <returns>Whether it was given up, so that it will never be sent.</returns>
    public bool TryGiveUp()
    {
        lock (_gate)
        {
            return !_isSent && IsGivenUp;
        }
    }

    /// <summary>Notes that one of the message's requests has ended.</summary>
    public void NoteEnded()
    {
        if (!IsOpen)
        {
            _answered.TrySetResult();
        }
    }

    public void Accept() => _accepted.TrySetResult();

    /// <summary>Hands over the answer to a message that the bridge itself has made.</summary>
    /// <param name="answer">The answer. It is read before this method returns.</param>
    public void AnswerOwn(in ReadOnlySequence<byte> answer)
    {
        Debug.Assert(IsOwn, "The client's answers go to the client.");
        _own!.Take(answer);
    }

    /// <summary>Closes the exchange with the server.</summary>
    public void Close()
    {
        try
        {
            _closing.Cancel();
        }
        catch (ObjectDisposedException)
        {
            // The exchange has ended meanwhile.
        }
    }

    /// <summary>Gives the bytes back early, once the server has them.</summary>
    public void Release() => _buffer.Dispose();

    public void Dispose()
    {
        NoteTaken();
        Accept();
        _own?.End();
        _buffer.Dispose();
        _closing.Dispose();
    }
}
