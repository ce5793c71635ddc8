using System.Buffers;
using System.Diagnostics;
using System.IO.Pipelines;
using McpProxyFast.Bridge.Messages;

namespace McpProxyFast.Bridge;

/// <summary>Receives and sends MCP messages in the format of the stdio transport: one message per line.</summary>
/// <param name="near">The byte streams from and to the client.</param>
/// <param name="room">Bounds the memory that the client's messages take.</param>
internal sealed class LineFront(IDuplexPipe near, MessageRoom room) : IBridgeFront, IDisposable
{
    /// <summary>The maximum number of bytes between two flushes. A flush waits for a slow client, so the pipe never holds much more.</summary>
    private const int FlushBytes = 64 * 1024;

    /// <summary>Held while a message is written. It is not disposed of, since other messages may still wait for it after <see cref="Close"/>.</summary>
    private readonly SemaphoreSlim _writing = new(1);

    /// <summary>Cancelled when the client takes no more messages. It is not disposed of, since messages may still be sent after <see cref="Close"/>.</summary>
    private readonly CancellationTokenSource _gone = new();

    /// <summary>Whether the start of the input has been checked for a byte order mark. Only <see cref="ReceiveAsync"/> uses this field.</summary>
    private bool _hasBegun;

    public CancellationToken Gone => _gone.Token;

    /// <summary>Some programs write this mark before the first line. It says that UTF-8 follows and is not part of the message (RFC 8259 §8.1).</summary>
    private static ReadOnlySpan<byte> ByteOrderMark => [0xEF, 0xBB, 0xBF];

    private static ReadOnlySpan<byte> LineEnds => "\r\n"u8;

    public async ValueTask<ReceivedMessage> ReceiveAsync(CancellationToken cancellationToken)
    {
        var message = new MessageBuffer();
        BridgeFaultReason? refusal = null;
        IdSearch? search = null; // finds the id of a refused message, whose bytes are not kept
        while (true)
        {
            ReadResult read = await near.Input.ReadAsync(cancellationToken).ConfigureAwait(false);
            if (read.IsCanceled || (!_hasBegun && !Begin(ref read)))
            {
                continue;
            }

            bool isLine = Take(read.Buffer, message, search);
            refusal ??= await RefusalAsync(message, cancellationToken).ConfigureAwait(false);
            if (refusal is not null && search is null)
            {
                search = new IdSearch();
                search.Add(message.Bytes);
                message.Clear();
            }

            if (!isLine && !read.IsCompleted)
            {
                continue;
            }

            if (search is not null)
            {
                return new ReceivedMessage(null, refusal, search.Id);
            }

            if (!IsBlank(message))
            {
                return new ReceivedMessage(message); // the last line needs no line end
            }

            message.Clear(); // an empty line
            if (!isLine)
            {
                return default;
            }
        }
    }

    /// <summary>Does nothing, since this class makes no answers itself.</summary>
    public Task EndReceivingAsync() => Task.CompletedTask;

    public async ValueTask SendAsync(ReadOnlySequence<byte> message)
    {
        try
        {
            await _writing.WaitAsync(_gone.Token).ConfigureAwait(false);
        }
        catch (OperationCanceledException)
        {
            throw new FrontClosedException();
        }

        try
        {
            _gone.Token.ThrowIfCancellationRequested();
            await WriteLineAsync(message).ConfigureAwait(false);
        }
        catch (Exception)
        {
            await _gone.CancelAsync().ConfigureAwait(false);
            throw new FrontClosedException();
        }
        finally
        {
            _writing.Release();
        }
    }

    public void Close() => _gone.Cancel();

    public void Dispose() => Close();

    /// <summary>Skips a byte order mark at the start of the input.</summary>
    /// <returns>False if too few bytes have come to recognize the mark. Then no bytes have been taken from the pipe.</returns>
    private bool Begin(ref ReadResult read)
    {
        Span<byte> start = stackalloc byte[3];
        start = start[..(int)Math.Min(start.Length, read.Buffer.Length)];
        read.Buffer.Slice(0, start.Length).CopyTo(start);
        bool isMark = ByteOrderMark.StartsWith(start);
        if (isMark && start.Length < ByteOrderMark.Length && !read.IsCompleted)
        {
            near.Input.AdvanceTo(read.Buffer.Start, read.Buffer.End);
            return false;
        }

        _hasBegun = true;
        if (isMark && start.Length == ByteOrderMark.Length)
        {
            read = new ReadResult(read.Buffer.Slice(start.Length), read.IsCanceled, read.IsCompleted);
        }

        return true;
    }

    /// <summary>Takes the bytes of the current line from the pipe, and adds them to the message or to the search for its id.</summary>
    /// <returns>Whether the line is complete.</returns>
    private bool Take(ReadOnlySequence<byte> received, MessageBuffer message, IdSearch? search)
    {
        SequencePosition? end = received.PositionOf((byte)'\n');
        ReadOnlySequence<byte> part = end is { } at ? received.Slice(0, at) : received;
        if (search is null)
        {
            message.Add(part);
        }
        else
        {
            search.Add(part);
        }

        near.Input.AdvanceTo(end is { } line ? received.GetPosition(1, line) : received.End);
        return end is not null;
    }

    /// <summary>Returns why a message is refused; null if it may be kept.</summary>
    private async ValueTask<BridgeFaultReason?> RefusalAsync(MessageBuffer message, CancellationToken cancellationToken) =>
        message.Length > BridgeLimits.MaxMessageBytes ? BridgeFaultReason.MessageTooLarge
        : await room.TryTakeAsync(message, cancellationToken).ConfigureAwait(false) ? null
        : BridgeFaultReason.TooManyBytes;

    private async ValueTask WriteLineAsync(ReadOnlySequence<byte> message)
    {
        foreach (ReadOnlyMemory<byte> segment in message)
        {
            ReadOnlyMemory<byte> rest = segment;
            while (!rest.IsEmpty)
            {
                ReadOnlyMemory<byte> piece = rest[..Math.Min(rest.Length, FlushBytes)];
                WriteWithoutLineEnds(piece.Span);
                rest = rest[piece.Length..];
                if (near.Output is { CanGetUnflushedBytes: true, UnflushedBytes: >= FlushBytes })
                {
                    await FlushAsync().ConfigureAwait(false);
                }
            }
        }

        near.Output.Write("\n"u8);
        await FlushAsync().ConfigureAwait(false);
    }

    private void WriteWithoutLineEnds(ReadOnlySpan<byte> piece)
    {
        while (piece.IndexOfAny(LineEnds) is >= 0 and var at)
        {
            near.Output.Write(piece[..at]);
            piece = piece[(at + 1)..];
        }

        near.Output.Write(piece);
    }

    /// <exception cref="OperationCanceledException">The front is closed.</exception>
    private async ValueTask FlushAsync()
    {
        FlushResult flushed = await near.Output.FlushAsync(_gone.Token).ConfigureAwait(false);
        Debug.Assert(!flushed.IsCanceled, "Nobody cancels a flush but by its token.");
        if (flushed.IsCompleted)
        {
            throw new FrontClosedException();
        }
    }

    private static bool IsBlank(MessageBuffer message)
    {
        foreach (ReadOnlyMemory<byte> piece in message.Bytes)
        {
            if (piece.Span.ContainsAnyExcept(" \t\r"u8))
            {
                return false;
            }
        }

        return true;
    }
}
