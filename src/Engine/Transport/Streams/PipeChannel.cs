using System.Buffers;
using System.IO.Pipelines;
using System.Runtime.CompilerServices;

namespace McpProxyFast.Transport.Streams;

/// <summary>A channel over a host program's duplex pipe.</summary>
/// <remarks>
/// Each end of the pipe has its own users: the owner until it closes; the receive loop (input) or a pending write (output); and briefly each thread that
/// cancels. The last user completes the end, so nothing is ever called on a completed end. Received bytes are copied and advanced over at once. So no position
/// in the host program's pipe is used after an advance, and the host program's buffers are free again.
/// </remarks>
internal sealed class PipeChannel : CompletionChannel
{
    private readonly PipeReader _input;
    private readonly PipeWriter _output;
    private readonly Action _onFlushed;

    /// <summary>The users of the input: owner, receive loop, threads that cancel.</summary>
    private Parties _readers = new(2);

    /// <summary>The users of the output: owner, pending write, threads that cancel.</summary>
    private Parties _writers = new(1);

    /// <summary>Counts the ends of the pipe, reader and writer, that have not been completed yet.</summary>
    private Parties _ends = new(2);

    /// <summary>The pending flush. Valid until it has completed and its result has been taken.</summary>
    private ConfiguredValueTaskAwaitable<FlushResult>.ConfiguredValueTaskAwaiter _flush;

    /// <summary>1 once the owner has shut down the output or closed the channel. Set by any thread.</summary>
    private int _ownerLeftWriters;

    /// <summary>Whether the ends of the pipe are completed with an exception. Written before the owner leaves.</summary>
    private volatile bool _resets;

    /// <summary>
    /// The host program's writer has thrown, so both directions are broken. A writer that only reports completion says nothing about the other direction.
    /// </summary>
    private volatile bool _writerThrew;

    /// <summary>Takes over the reader and the writer of a host program's pipe.</summary>
    public PipeChannel(IDuplexPipe pipe)
    {
        _input = pipe.Input;
        _output = pipe.Output;
        _onFlushed = OnFlushed;
    }

    /// <summary>
    /// No system call reports a reset of a pipe. A pending write may be about to throw, so while there is one, an end does not count as orderly.
    /// </summary>
    public override bool WasReset => IsWritePending || _writerThrew;

    public override void ShutdownSend() => LeaveWritersAsOwner();

    protected override async Task ReceiveAsync()
    {
        bool byFault = false;
        try
        {
            while (!IsStopping)
            {
                if (IsFull)
                {
                    await WaitForRoomAsync().ConfigureAwait(false);
                    continue;
                }

                ReadResult read = await _input.ReadAsync().ConfigureAwait(false);
                bool isWhole = TakeFrom(read.Buffer, out bool isAny);
                if (isAny)
                {
                    TellReadable(ended: false);
                }

                if (isWhole && read.IsCompleted)
                {
                    break;
                }
            }
        }
        catch (Exception)
        {
            byFault = true; // an exception from the host program's pipe means that it ended
        }

        EndReceive(byFault);
        LeaveReaders();
    }

    protected override bool StartWrite(ReadOnlySpan<byte> first, ReadOnlySpan<byte> second)
    {
        if (Volatile.Read(ref _ownerLeftWriters) != 0)
        {
            throw new IOException("The output has been shut down.");
        }

        try
        {
            _output.Write(first);
            _output.Write(second);
#pragma warning disable CA2012 // The awaiter is stored until it completes. Then its result is taken, once.
            _flush = _output.FlushAsync().ConfigureAwait(false).GetAwaiter();
#pragma warning restore CA2012
        }
        catch
        {
            _writerThrew = true;
            throw;
        }

        if (!_flush.IsCompleted)
        {
            _writers.Join(); // allowed, because the owner has not closed and so is one of the users
            _flush.UnsafeOnCompleted(_onFlushed);
            return false;
        }

        return TakeFlush() ? true : throw new IOException("The peer accepts no more data.");
    }

    /// <summary>Reads the same bytes again without consuming or examining any. This also shows whether the pipe was completed after them.</summary>
    protected override bool HasEndedBehind()
    {
        if (!_readers.TryJoin())
        {
            return false;
        }

        try
        {
            if (!_input.TryRead(out ReadResult read))
            {
                return false;
            }

            _input.AdvanceTo(read.Buffer.Start);
            return read.IsCompleted;
        }
        catch (Exception)
        {
            return true; // an exception from the host program's pipe means that it ended
        }
        finally
        {
            LeaveReaders();
        }
    }

    protected override void OnAbort()
    {
        _resets = true;
        Cancel();
        WakeLoop();
    }

    protected override void OnClose(bool reset)
    {
        _resets |= reset;
        Cancel();
        WakeLoop();
        LeaveReaders();
        LeaveWritersAsOwner();
    }

    /// <summary>Copies the bytes that fit into the ring, and advances over them at once.</summary>
    /// <returns>Whether all bytes of the buffer were taken.</returns>
    private bool TakeFrom(in ReadOnlySequence<byte> buffer, out bool isAny)
    {
        isAny = !buffer.IsEmpty;
        if (!isAny)
        {
            _input.AdvanceTo(buffer.End);
            return true;
        }

        Memory<byte> room = BeginFill();
        int bytes = (int)Math.Min(buffer.Length, room.Length);
        SequencePosition end = buffer.GetPosition(bytes);
        bool isWhole = bytes == buffer.Length;
        buffer.Slice(0, end).CopyTo(room.Span);
        EndFill(bytes);
        _input.AdvanceTo(end);
        return isWhole;
    }

    /// <summary>
    /// Takes the result of a completed flush. If the host program cancelled the flush, the bytes are still in the pipe and count as taken. They do not if the
    /// host program's reader has completed, or the writer throws.
    /// </summary>
    /// <returns>Whether the host program's pipe has taken the bytes.</returns>
    private bool TakeFlush()
    {
        try
        {
            return !_flush.GetResult().IsCompleted;
        }
        catch (Exception)
        {
            _writerThrew = true; // an exception from the host program's pipe
            return false;
        }
    }

    private void OnFlushed()
    {
        bool isTaken = TakeFlush();
        EndWrite(failed: !isTaken || IsStopping);
        LeaveWriters();
    }

    /// <summary>Cancels the pending read and the pending flush, each only if its end of the pipe has not been completed.</summary>
    private void Cancel()
    {
        if (_readers.TryJoin())
        {
            Try(static channel => channel._input.CancelPendingRead());
            LeaveReaders();
        }

        if (_writers.TryJoin())
        {
            Try(static channel => channel._output.CancelPendingFlush());
            LeaveWriters();
        }
    }

    private void LeaveReaders()
    {
        if (_readers.Leave())
        {
            Try(static channel => channel._input.Complete(channel._resets ? Fault() : null));
            LeaveEnds();
        }
    }

    private void LeaveWritersAsOwner()
    {
        if (Interlocked.Exchange(ref _ownerLeftWriters, 1) == 0)
        {
            LeaveWriters();
        }
    }

    /// <summary>
    /// Removes a user of the output. The last one completes it: with an exception if its last write did not succeed, because without one a writer over a stream
    /// would write the remaining bytes and wait for that.
    /// </summary>
    private void LeaveWriters()
    {
        if (_writers.Leave())
        {
            Try(static channel => channel._output.Complete(channel._resets || channel.IsWriteUnfinished ? Fault() : null));
            LeaveEnds();
        }
    }

    private void LeaveEnds()
    {
        if (_ends.Leave())
        {
            DropUnread();
            CompleteClosed();
        }
    }

    private static IOException Fault() => new("The proxy aborted the connection.");

    /// <summary>Calls a host program's code. It may throw anything; the engine does not depend on its success.</summary>
    private void Try(Action<PipeChannel> call)
    {
        try
        {
            call(this);
        }
        catch (Exception)
        {
            // The host program's code has failed to cancel or complete its end of the pipe. Nothing more can be done about that.
        }
    }
}
