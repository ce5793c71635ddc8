using System.Buffers;
using System.Diagnostics;
using System.IO.Pipelines;
using McpProxyFast.Bridge.Messages;

namespace McpProxyFast.Bridge;

/// <summary>MCP over stdio: one message a line.</summary>
/// <param name="near">The client's bytes, both ways.</param>
/// <param name="large">Bounds what is held of large messages.</param>
internal sealed class LineFront(IDuplexPipe near, LargeMessages large) : IBridgeFront, IDisposable
{
    /// <summary>Most bytes between two flushes: what a slow client has to take before more is given to the pipe.</summary>
    private const int FlushBytes = 64 * 1024;

    /// <summary>Held by the message that is being written.</summary>
    private readonly SemaphoreSlim _writing = new(1);

    /// <summary>The client takes no more. Set once; touched only by who holds <see cref="_writing"/>.</summary>
    private bool _isClosed;

    private static ReadOnlySpan<byte> LineEnds => "\r\n"u8;

    public async ValueTask<ReceivedMessage> ReceiveAsync(CancellationToken cancellationToken)
    {
        var message = new MessageBuffer();
        ReadOnlyMemory<byte> id = default;
        bool isTooLarge = false;
        while (true)
        {
            ReadResult read = await near.Input.ReadAsync(cancellationToken).ConfigureAwait(false);
            if (read.IsCanceled)
            {
                continue;
            }

            bool isLine = Take(read.Buffer, message, isTooLarge);
            if (!isTooLarge && message.Length > BridgeLimits.MaxMessageBytes)
            {
                (isTooLarge, id) = (true, PartialMessage.FindId(message.Bytes));
                message.Clear();
            }

            if (isTooLarge ? isLine || read.IsCompleted : isLine && !IsBlank(message))
            {
                return isTooLarge ? new ReceivedMessage(null, IsTooLarge: true, id) : new ReceivedMessage(message);
            }

            if (!isLine && read.IsCompleted)
            {
                // The last line counts without its end.
                return IsBlank(message) ? default : new ReceivedMessage(message);
            }

            if (isLine)
            {
                message.Clear(); // an empty line
            }

            await large.TakeTurnAsync(message, cancellationToken).ConfigureAwait(false);
        }
    }

    public async ValueTask SendAsync(ReadOnlySequence<byte> message, CancellationToken cancellationToken)
    {
        await _writing.WaitAsync(cancellationToken).ConfigureAwait(false);
        try
        {
            if (_isClosed)
            {
                throw new FrontClosedException();
            }

            await WriteLineAsync(message).ConfigureAwait(false);
        }
        catch (Exception fault) when (fault is not FrontClosedException)
        {
            _isClosed = true;
            throw new FrontClosedException();
        }
        finally
        {
            _writing.Release();
        }
    }

    /// <summary>What still waits to write fails from now on.</summary>
    public void Dispose() => _writing.Dispose();

    /// <summary>Takes what belongs to the line out of the pipe.</summary>
    /// <returns>Whether the line's end has come.</returns>
    private bool Take(ReadOnlySequence<byte> received, MessageBuffer message, bool isDropped)
    {
        SequencePosition? end = received.PositionOf((byte)'\n');
        if (!isDropped)
        {
            message.Add(end is { } at ? received.Slice(0, at) : received);
        }

        near.Input.AdvanceTo(end is { } line ? received.GetPosition(1, line) : received.End);
        return end is not null;
    }

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

    private async ValueTask FlushAsync()
    {
        FlushResult flushed = await near.Output.FlushAsync(CancellationToken.None).ConfigureAwait(false);
        Debug.Assert(!flushed.IsCanceled, "Nobody cancels a flush.");
        if (flushed.IsCompleted)
        {
            _isClosed = true;
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
