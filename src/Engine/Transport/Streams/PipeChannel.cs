using System.Buffers;
using System.IO.Pipelines;
using System.Runtime.CompilerServices;

namespace McpProxyFast.Transport.Streams;

/// <summary>A host's duplex pipe.</summary>
/// <remarks>
/// Each end has parties of its own: the owner until it closes; the receive loop, or a write that is out; and for a moment anybody who cancels. The last one
/// completes the end, so nothing is ever called on a completed one. What is received is copied and advanced over at once: no position of a host's pipe
/// outlives an advance, and the host's own buffers are free again.
/// </remarks>
internal sealed class PipeChannel : CompletionChannel
{
    private readonly PipeReader _input;
    private readonly PipeWriter _output;
    private readonly Action _onFlushed;

    /// <summary>Owner, receive loop, who cancels.</summary>
    private Parties _readers = new(2);

    /// <summary>Owner, a write that is out, who cancels.</summary>
    private Parties _writers = new(1);

    /// <summary>Both ends.</summary>
    private Parties _ends = new(2);

    /// <summary>The flush that is out.</summary>
    private ConfiguredValueTaskAwaitable<FlushResult>.ConfiguredValueTaskAwaiter _flush;

    /// <summary>1 once the owner has left the writers. Any thread.</summary>
    private int _ownerLeftWriters;

    /// <summary>The host's side shall see a fault. Written before the owner leaves.</summary>
    private volatile bool _resets;

    /// <summary>
    /// The host's writer has thrown: what it stands for is broken in both directions. A writer that is only completed says nothing of the other one.
    /// </summary>
    private volatile bool _writerThrew;

    /// <summary>Takes over both ends.</summary>
    public PipeChannel(IDuplexPipe pipe)
    {
        _input = pipe.Input;
        _output = pipe.Output;
        _onFlushed = OnFlushed;
    }

    /// <summary>There is no system to ask. A write that is out may be about to throw: while there is one, an end is not taken for an orderly one.</summary>
    public override bool WasReset => IsWriteOut || _writerThrew;

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
            byFault = true; // whatever the host's pipe throws: that is how it ends
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
#pragma warning disable CA2012 // The awaiter is kept until its one completion, where its result is taken once.
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
            _writers.Join(); // the owner, which has not closed, is one of them
            _flush.UnsafeOnCompleted(_onFlushed);
            return false;
        }

        return TakeFlush() ? true : throw new IOException("The other side takes no more.");
    }

    /// <summary>Shows the bytes once more, without consuming or examining any, which also shows whether the pipe has been completed behind them.</summary>
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
            return true; // whatever the host's pipe throws: that is how it ends
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

    /// <summary>Copies what fits into the ring, and advances over it at once.</summary>
    /// <returns>Whether it was all.</returns>
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

    /// <summary>A flush that was cancelled by the host has still put its bytes into the pipe; only a reader that has ended takes none.</summary>
    /// <returns>Whether the bytes were taken.</returns>
    private bool TakeFlush()
    {
        try
        {
            return !_flush.GetResult().IsCompleted;
        }
        catch (Exception)
        {
            _writerThrew = true; // whatever the host's pipe throws
            return false;
        }
    }

    private void OnFlushed()
    {
        bool isTaken = TakeFlush();
        EndWrite(failed: !isTaken || IsStopping);
        LeaveWriters();
    }

    /// <summary>Wakes what is out, on an end that has not been completed.</summary>
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
    /// An end whose last write did not succeed is completed with a fault: a writer over a stream would else write what is left, and wait for it.
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

    /// <summary>Calls the host's code, which may throw anything: nothing of ours depends on it.</summary>
    private void Try(Action<PipeChannel> call)
    {
        try
        {
            call(this);
        }
        catch (Exception)
        {
            // The end is the host's; it is not used again.
        }
    }
}
