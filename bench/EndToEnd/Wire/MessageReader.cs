namespace McpProxyFast.EndToEnd.Wire;

/// <summary>Splits received bytes into messages. Lenient where it may be: both of its users check what they get.</summary>
/// <remarks>
/// Why not a reader of <c>tests/Harness</c>: those make strings, and wait for a stream. This one is fed by an event loop, and allocates nothing for a head that
/// comes in one piece. The load shares its machine with the proxy, and should cost it as little as can be.
/// </remarks>
internal sealed class MessageReader(IMessageHandler handler, bool readsResponses)
{
    private const int MaxHeadBytes = 32 * 1024;

    private State _state;
    private byte[] _partialHead = [];
    private long _bodyLeft;
    private ChunkedDecoder _chunks;

    private enum State
    {
        Head,
        Sized,
        Chunked,
        UntilClose,
    }

    public void Feed(ReadOnlySpan<byte> bytes)
    {
        while (!bytes.IsEmpty && handler.IsOpen)
        {
            int taken = _state switch
            {
                State.Head => TakeHead(bytes),
                State.Sized => TakeSized(bytes),
                State.Chunked => TakeChunked(bytes),
                _ => TakeAll(bytes),
            };
            bytes = bytes[taken..];
        }
    }

    /// <summary>Ends a message whose end is the end of the connection.</summary>
    public void EndOfInput()
    {
        if (_state is State.UntilClose)
        {
            End();
        }
    }

    private int TakeHead(ReadOnlySpan<byte> bytes)
    {
        int held = _partialHead.Length;
        ReadOnlySpan<byte> head = held == 0 ? bytes : (byte[])[.. _partialHead, .. bytes];
        int end = head.IndexOf("\r\n\r\n"u8);
        if (end < 0)
        {
            _partialHead = head.Length <= MaxHeadBytes ? head.ToArray() : throw new InvalidDataException("A head has no end.");
            return bytes.Length;
        }

        _partialHead = [];
        StartBody(new MessageHead(head[..(end + 2)]));
        return end + 4 - held;
    }

    private void StartBody(in MessageHead head)
    {
        long length = head.ContentLength;
        bool chunked = head.IsChunked;
        handler.OnHead(head);

        _bodyLeft = length;
        _chunks = default;
        _state = (chunked, length) switch
        {
            (true, _) => State.Chunked,
            (_, > 0) => State.Sized,
            (_, < 0) when readsResponses => State.UntilClose,
            _ => State.Head,
        };
        if (_state is State.Head)
        {
            handler.OnEnd();
        }
    }

    private int TakeSized(ReadOnlySpan<byte> bytes)
    {
        int length = (int)Math.Min(bytes.Length, _bodyLeft);
        handler.OnBody(bytes[..length]);
        _bodyLeft -= length;
        if (_bodyLeft == 0)
        {
            End();
        }

        return length;
    }

    private int TakeChunked(ReadOnlySpan<byte> bytes)
    {
        int taken = _chunks.Take(bytes, out ReadOnlySpan<byte> data);
        if (!data.IsEmpty)
        {
            handler.OnBody(data);
        }

        if (_chunks.IsOver)
        {
            End();
        }

        return taken;
    }

    private int TakeAll(ReadOnlySpan<byte> bytes)
    {
        handler.OnBody(bytes);
        return bytes.Length;
    }

    private void End()
    {
        _state = State.Head;
        handler.OnEnd();
    }
}
