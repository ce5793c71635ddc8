using System.Net.Sockets;
using McpProxyFast.EndToEnd.Wire;

namespace McpProxyFast.EndToEnd.Roles.Load;

/// <summary>An event stream: checks that every event arrives, in order and whole, and says how long it took.</summary>
internal sealed class StreamConnection(EventLoop loop, Socket socket, Recorder recorder, Action opened)
    : Connection(loop, socket, readsResponses: true)
{
    private byte[]? _event;
    private int _length;
    private long _nextNumber;
    private Action? _awaited;

    public void Start(RequestTemplate request) => SendReused(request.With(0));

    /// <summary>Tells once when the next event has come.</summary>
    public void AwaitEvent(Action arrived) => _awaited = arrived;

    public override void OnHead(in MessageHead head)
    {
        if (head.Status != 200 || !head.Find("content-type"u8).StartsWith("text/event-stream"u8))
        {
            throw new WrongAnswerException($"A stream was answered with {head.Status}.");
        }
    }

    public override void OnBody(ReadOnlySpan<byte> body)
    {
        while (!body.IsEmpty)
        {
            _event ??= new byte[EventText.Length];
            int length = Math.Min(body.Length, _event.Length - _length);
            body[..length].CopyTo(_event.AsSpan(_length));
            _length += length;
            body = body[length..];
            if (_length == _event.Length)
            {
                TakeEvent(_event);
            }
        }
    }

    public override void OnEnd() => throw new WrongAnswerException("A stream was ended.");

    protected override void OnMalformed(InvalidDataException fault) => throw new WrongAnswerException(fault.Message);

    protected override void OnClosedByPeer() => throw new WrongAnswerException("A stream was cut.");

    private void TakeEvent(ReadOnlySpan<byte> text)
    {
        long number = Digits.Read(text.Slice(EventText.NumberOffset, EventText.NumberLength));
        if (number != _nextNumber || !text.EndsWith("\n\n"u8))
        {
            throw new WrongAnswerException($"A stream's event {_nextNumber} is missing or cut.");
        }

        _length = 0;
        if (_nextNumber++ == 0)
        {
            opened();
        }

        _awaited?.Invoke();
        _awaited = null;
        recorder.Completed(Digits.Read(text.Slice(EventText.SentAtOffset, EventText.SentAtLength)));
    }
}
