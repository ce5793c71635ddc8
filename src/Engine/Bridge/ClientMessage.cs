using System.Buffers;
using McpProxyFast.Bridge.Messages;

namespace McpProxyFast.Bridge;

/// <summary>One message on its way to the server, from its arrival to the end of the exchange that it causes.</summary>
internal sealed class ClientMessage : IDisposable
{
    /// <summary>The message's bytes; given back early by <see cref="Release"/>.</summary>
    private readonly MessageBuffer _buffer;

    /// <summary>Completed when a response to it has begun.</summary>
    private readonly TaskCompletionSource _taken = new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <summary>Completed when messages behind this one may go.</summary>
    private readonly TaskCompletionSource _accepted = new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <summary>Completed when none of its requests is open.</summary>
    private readonly TaskCompletionSource _answered = new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <summary>Cancelled to close the exchange.</summary>
    private readonly CancellationTokenSource _closing;

    /// <summary>Guards what follows.</summary>
    private readonly Lock _gate = new();

    /// <summary>It is being sent, or the server has it.</summary>
    private bool _isSent;

    /// <summary>Takes the answer of a message of the bridge's own; null for the client's.</summary>
    private readonly TaskCompletionSource<byte[]?>? _ownAnswer;

    /// <param name="buffer">Its bytes, which are the message's from now on.</param>
    /// <param name="head">What was read of it.</param>
    /// <param name="isOwn">Whether the bridge itself has made it, so that its answer goes to nobody else.</param>
    /// <param name="ending">Cancelled when the bridge ends.</param>
    public ClientMessage(MessageBuffer buffer, RpcHead head, bool isOwn, CancellationToken ending)
    {
        (_buffer, Head) = (buffer, head);
        _closing = CancellationTokenSource.CreateLinkedTokenSource(ending);
        Closing = _closing.Token;
        _ownAnswer = isOwn ? new TaskCompletionSource<byte[]?>(TaskCreationOptions.RunContinuationsAsynchronously) : null;
    }

    public RpcHead Head { get; }

    /// <summary>The requests that it carries: one, several where it is a batch, none where it is a notification or an answer.</summary>
    public IReadOnlyList<OpenRequest> Requests { get; set; } = [];

    /// <summary>Its bytes. Valid until <see cref="Release"/>.</summary>
    public ReadOnlySequence<byte> Bytes => _buffer.Bytes;

    public bool IsInitialize => Head.Kind is MessageKind.Request && Head.Method == Methods.Initialize;

    /// <summary>Whether the bridge itself has made it.</summary>
    public bool IsOwn => _ownAnswer is not null;

    /// <summary>The session that the response to an <c>initialize</c> names; null for none.</summary>
    public string? GivenSession { get; set; }

    /// <summary>What sends it; null until something does.</summary>
    public UpstreamTransport? Transport { get; set; }

    /// <summary>It has been sent again in a new session, which is done once.</summary>
    public bool WasSentAgain { get; set; }

    /// <summary>The lists of tools have been read for it, which is done once.</summary>
    public bool WereToolsRead { get; set; }

    /// <summary>Cancelled to close the exchange.</summary>
    public CancellationToken Closing { get; }

    /// <summary>A response to it has begun, so the server has it.</summary>
    public Task Taken => _taken.Task;

    /// <summary>Messages behind this one may go.</summary>
    public Task Accepted => _accepted.Task;

    /// <summary>None of its requests is open any more.</summary>
    public Task Answered => _answered.Task;

    /// <summary>The answer to a message of the bridge's own; null where there was none.</summary>
    public Task<byte[]?> OwnAnswer => _ownAnswer!.Task;

    /// <summary>Whether one of its requests still waits for an answer.</summary>
    public bool IsOpen => Requests.Any(request => !request.IsEnded);

    /// <summary>Whether nobody waits for an answer any more.</summary>
    public bool IsGivenUp => Requests.All(request => request.IsEnded || request.IsCancelled);

    public void NoteTaken() => _taken.TrySetResult();

    /// <summary>It is about to be sent.</summary>
    /// <returns>False where nobody waits for its answer any more: then it must not be sent.</returns>
    public bool TryBeginSending()
    {
        lock (_gate)
        {
            return _isSent = Requests.Count == 0 || !IsGivenUp;
        }
    }

    /// <summary>The attempt to send it has failed, or the server has refused it: nothing comes of it.</summary>
    public void EndSending()
    {
        lock (_gate)
        {
            _isSent = false;
        }
    }

    /// <summary>Gives it up, once a request of it has been cancelled.</summary>
    /// <returns>Whether it will never be sent.</returns>
    public bool TryGiveUp()
    {
        lock (_gate)
        {
            return !_isSent && IsGivenUp;
        }
    }

    /// <summary>One of its requests has ended.</summary>
    public void NoteEnded()
    {
        if (!IsOpen)
        {
            _answered.TrySetResult();
        }
    }

    public void Accept() => _accepted.TrySetResult();

    /// <summary>Takes the answer to a message of the bridge's own.</summary>
    public void AnswerOwn(in ReadOnlySequence<byte> answer) => _ownAnswer!.TrySetResult(answer.ToArray());

    /// <summary>Closes the exchange with the server.</summary>
    public void Close()
    {
        try
        {
            _closing.Cancel();
        }
        catch (ObjectDisposedException)
        {
            // It has ended meanwhile.
        }
    }

    /// <summary>Gives the bytes back: the server has them.</summary>
    public void Release() => _buffer.Dispose();

    public void Dispose()
    {
        NoteTaken();
        Accept();
        _ownAnswer?.TrySetResult(null);
        _buffer.Dispose();
        _closing.Dispose();
    }
}
