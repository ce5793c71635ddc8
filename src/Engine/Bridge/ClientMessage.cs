using System.Buffers;
using System.Diagnostics;
using McpProxyFast.Bridge.Messages;

namespace McpProxyFast.Bridge;

/// <summary>
/// One message for the server, made by the client or by the bridge itself, from its arrival to the end of the HTTP exchange that carries it.
/// </summary>
internal sealed class ClientMessage : IDisposable
{
    /// <summary>The message's bytes. Valid until <see cref="Release"/> or <see cref="Dispose"/>.</summary>
    private readonly MessageBuffer _buffer;

    /// <summary>Completed when the response to the message has begun, and also when the message is disposed of.</summary>
    private readonly TaskCompletionSource _taken = new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <summary>Completed when the messages that came after this one may be sent.</summary>
    private readonly TaskCompletionSource _accepted = new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <summary>Completed when the last request of the message has ended. Not completed if the message has no requests.</summary>
    private readonly TaskCompletionSource _answered = new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <summary>Cancelled to close the HTTP exchange that carries the message.</summary>
    private readonly CancellationTokenSource _closing;

    /// <summary>Guards <see cref="_isSent"/>.</summary>
    private readonly Lock _gate = new();

    /// <summary>Whether the message is being sent, or the server has it.</summary>
    private bool _isSent;

    /// <summary>Receives the answer if the bridge itself has made the message; null for a message of the client.</summary>
    private readonly OwnAnswer? _own;

    /// <param name="buffer">The message's bytes. The message disposes of them.</param>
    /// <param name="head">The message's kind, id, method and other parts, which <see cref="MessageScanner"/> has read.</param>
    /// <param name="ending">Cancelled when the bridge ends.</param>
    /// <param name="own">Receives the answer if the bridge itself has made the message; null for a message of the client.</param>
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
    /// The session id in the response to this <c>initialize</c>; null if the response has none. When the <c>initialize</c> has been answered with a result, the
    /// transport keeps the id, and this property is null again.
    /// </summary>
    public string? GivenSession { get; set; }

    /// <summary>The transport that sends the message; null until one has been chosen.</summary>
    public UpstreamTransport? Transport { get; set; }

    /// <summary>
    /// Whether the message must not be sent again if its session is lost: it has been sent again once already, or the bridge itself has made it.
    /// </summary>
    public bool WasSentAgain { get; set; }

    /// <summary>Whether the server's list of tools has been read because of this message, which is done at most once (<see cref="ToolReading"/>).</summary>
    public bool WereToolsRead { get; set; }

    /// <summary>Cancelled to close the HTTP exchange that carries the message.</summary>
    public CancellationToken Closing { get; }

    /// <summary>Completed when the response to the message has begun, so the server has the message. Also completed when the message is disposed of.</summary>
    public Task Taken => _taken.Task;

    /// <summary>Completed when the messages that came after this one may be sent.</summary>
    public Task Accepted => _accepted.Task;

    /// <summary>Completed when the last request of the message has ended. Not completed if the message has no requests.</summary>
    public Task Answered => _answered.Task;

    /// <summary>Whether at least one of the message's requests still waits for an answer.</summary>
    public bool IsOpen => Requests.Any(request => !request.IsEnded);

    /// <summary>Whether nobody waits for an answer any more: each request of the message has ended or was cancelled.</summary>
    public bool IsGivenUp => Requests.All(request => request.IsEnded || request.IsCancelled);

    public void NoteTaken() => _taken.TrySetResult();

    /// <summary>Notes that the message is about to be sent.</summary>
    /// <returns>False if nobody waits for the message's answers any more. Then the message must not be sent.</returns>
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

    /// <summary>Whether the message will never be sent: it is not being sent, the server does not have it, and nobody waits for an answer any more.</summary>
    /// <returns>True if so; <see cref="TryBeginSending"/> then returns false. Called only for a message with requests.</returns>
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

    /// <summary>Passes the answer to the code of the bridge that has made this message.</summary>
    /// <param name="answer">The answer. It is read before this method returns.</param>
    public void AnswerOwn(in ReadOnlySequence<byte> answer)
    {
        Debug.Assert(IsOwn, "The client's answers go to the client.");
        _own!.Take(answer);
    }

    /// <summary>Closes the HTTP exchange that carries the message.</summary>
    public void Close()
    {
        try
        {
            _closing.Cancel();
        }
        catch (ObjectDisposedException)
        {
            // The exchange has ended meanwhile, and the message is disposed of.
        }
    }

    /// <summary>Frees the memory of the bytes. Called when the server has the message, often long before the message is disposed of.</summary>
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
