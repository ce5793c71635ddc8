using System.Buffers;
using System.IO.Pipelines;
using System.Runtime.CompilerServices;
using System.Threading.Tasks.Sources;

namespace McpProxyFast.Transport;

/// <summary>Adds the watch to any pipe reader: it is one read that stays pending and becomes the owner's next one.</summary>
/// <remarks>
/// At most one read of the inner reader is out at a time. <c>_state</c> says whom its completion belongs to, and is changed by exchange, because the
/// completion and the owner's next call may race. While a watch's read is out the owner may still hold the result before it; where that result is
/// advanced meanwhile, the position is remembered and applied to the next result. An inner reader that throws has ended by a fault.
/// </remarks>
internal sealed class PipeConnectionReader : WatchedReader, IValueTaskSource<ReadResult>
{
    private const int Idle = 0;
    private const int Watched = 1;
    private const int Awaited = 2;
    private const int Finished = 3;
    private const int LookedAt = 4;

    private readonly PipeReader _inner;
    private readonly Action _onRead;
    private ManualResetValueTaskSourceCore<ReadResult> _signal;
    private ConfiguredValueTaskAwaitable<ReadResult>.ConfiguredValueTaskAwaiter _read;
    private int _state;
    private ReadResult _result;
    private bool _resultIsInner;
    private bool _held;
    private ReadOnlySequence<byte> _heldByWatch;
    private SequencePosition? _advancedTo;
    private bool _leftBytes;
    private volatile bool _ended;
    private bool _faulted;
    private bool _watchForBytes;
    private IConnectionWatch? _watch;

    public PipeConnectionReader(PipeReader inner)
    {
        _inner = inner;
        _onRead = OnRead;
    }

    public override bool PeerEnded => _ended;

    public override bool EndedByFault => _faulted;

    public override bool CanBeWatchedWhileRead => false;

    /// <summary>A pipe cannot be asked: what has come is what its pending read has brought.</summary>
    public override Arrival Look() => _ended ? Arrival.End : Volatile.Read(ref _state) is Finished ? Arrival.Bytes : Arrival.Nothing;

    /// <summary>The connection was aborted from this side: reads find the end, by a fault.</summary>
    public void EndByAbort()
    {
        _faulted = true;
        _ended = true;
    }

    public override ValueTask<ReadResult> ReadAsync(CancellationToken cancellationToken = default)
    {
        cancellationToken.ThrowIfCancellationRequested();
        if (Volatile.Read(ref _state) is Watched)
        {
            _signal.Reset();
            bool leftBytes = _leftBytes;
            _leftBytes = false;
            if (Interlocked.CompareExchange(ref _state, Awaited, Watched) == Watched)
            {
                if (leftBytes)
                {
                    // The watch's read waits for bytes after these: pipelined requests must not.
                    _inner.CancelPendingRead();
                }

                return new ValueTask<ReadResult>(this, _signal.Version);
            }
        }

        if (TakeFinished())
        {
            return new ValueTask<ReadResult>(Hold());
        }

        if (_held)
        {
            // Read again without having been advanced: the owner is past caring for these bytes.
            LetGo(_result.Buffer.End, _result.Buffer.End);
        }

        _signal.Reset();
        _state = Awaited;
        return StartRead() ? new ValueTask<ReadResult>(Hold()) : new ValueTask<ReadResult>(this, _signal.Version);
    }

    public override bool TryRead(out ReadResult result) => throw new NotSupportedException("The engine reads with ReadAsync only.");

    public override void AdvanceTo(SequencePosition consumed) => AdvanceTo(consumed, consumed);

    public override void AdvanceTo(SequencePosition consumed, SequencePosition examined)
    {
        if (_held)
        {
            LetGo(consumed, examined);
        }
        else if (_resultIsInner)
        {
            _advancedTo = consumed;
            _leftBytes = !_heldByWatch.Slice(consumed).IsEmpty;
        }
    }

    public override void CancelPendingRead() => _inner.CancelPendingRead();

    public override void Complete(Exception? exception = null) => _inner.Complete(exception);

    public override void Watch(IConnectionWatch watch, bool forBytes)
    {
        _watchForBytes = forBytes;
        Volatile.Write(ref _watch, watch);
        if (Volatile.Read(ref _state) is Idle)
        {
            if (_held)
            {
                _heldByWatch = _result.Buffer;
                LetGo(_result.Buffer.Start, _result.Buffer.End);
            }

            _state = Watched;
            if (StartRead())
            {
                _state = Finished;
            }
        }

        if (Volatile.Read(ref _state) is Finished)
        {
            Tell();
        }
    }

    public override void Unwatch() => Volatile.Write(ref _watch, null);

    ReadResult IValueTaskSource<ReadResult>.GetResult(short token) => _signal.GetResult(token);

    ValueTaskSourceStatus IValueTaskSource<ReadResult>.GetStatus(short token) => _signal.GetStatus(token);

    void IValueTaskSource<ReadResult>.OnCompleted(Action<object?> continuation, object? state, short token, ValueTaskSourceOnCompletedFlags flags) =>
        _signal.OnCompleted(continuation, state, token, flags);

    /// <summary>
    /// The watch's read has brought bytes, which wait for their turn: shows them once more without consuming or examining any, which also shows whether the
    /// pipe has been completed behind them.
    /// </summary>
    public override void LookBehindBytes()
    {
        if (_ended || Volatile.Read(ref _watch) is null || Interlocked.CompareExchange(ref _state, LookedAt, Finished) != Finished)
        {
            return;
        }

        try
        {
            if (_resultIsInner && !_result.IsCanceled)
            {
                _inner.AdvanceTo(_result.Buffer.Start);
                if (!_inner.TryRead(out _result))
                {
                    throw new InvalidOperationException("A pipe has lost bytes that nobody examined.");
                }

                _ended |= _result.IsCompleted;
            }
        }
        catch (Exception fault) when (IsEnd(fault))
        {
            TakeFault();
        }

        Volatile.Write(ref _state, Finished);
        if (_ended)
        {
            Interlocked.Exchange(ref _watch, null)?.OnPeerEnded();
        }
    }

    /// <summary>Takes what the watch's read has brought, once nobody looks at it: that is over in a moment, and happens ten times a second at most.</summary>
    private bool TakeFinished()
    {
        var wait = default(SpinWait);
        while (Interlocked.CompareExchange(ref _state, Idle, Finished) != Finished)
        {
            if (Volatile.Read(ref _state) is not (Finished or LookedAt))
            {
                return false;
            }

            wait.SpinOnce();
        }

        return true;
    }

    /// <summary>True when the read completed at once and <c>_result</c> holds it.</summary>
    private bool StartRead()
    {
        try
        {
#pragma warning disable CA2012 // The awaiter is kept until its one completion, where its result is taken once.
            _read = _inner.ReadAsync().ConfigureAwait(false).GetAwaiter();
#pragma warning restore CA2012
        }
        catch (Exception fault) when (IsEnd(fault))
        {
            TakeFault();
            _state = Idle;
            return true;
        }

        if (!_read.IsCompleted)
        {
            _read.UnsafeOnCompleted(_onRead);
            return false;
        }

        TakeResult();
        _state = Idle;
        return true;
    }

    /// <summary>Advances the inner reader, unless it has thrown: then there is nothing to advance.</summary>
    private void LetGo(SequencePosition consumed, SequencePosition examined)
    {
        _held = false;
        if (!_faulted)
        {
            _inner.AdvanceTo(consumed, examined);
        }
    }

    private void OnRead()
    {
        TakeResult();
        if (Interlocked.Exchange(ref _state, Finished) is Awaited)
        {
            _state = Idle;
            _signal.SetResult(Hold());
            return;
        }

        Tell();
    }

    private void TakeResult()
    {
        try
        {
            _result = _read.GetResult();
            _resultIsInner = true;
            _ended |= _result.IsCompleted;
        }
        catch (Exception fault) when (IsEnd(fault))
        {
            TakeFault();
        }

        if (_faulted && !_result.IsCompleted)
        {
            // Aborted from this side while the read was out.
            _result = new ReadResult(_result.Buffer, _result.IsCanceled, isCompleted: true);
        }
    }

    private void TakeFault()
    {
        _ended = true;
        _faulted = true;
        _resultIsInner = false;
        _result = new ReadResult(default, isCanceled: false, isCompleted: true);
    }

    /// <summary>What streams and pipes throw when the other side is gone or this side has closed them.</summary>
    private static bool IsEnd(Exception fault) => fault is IOException or ObjectDisposedException or InvalidOperationException or OperationCanceledException;

    private ReadResult Hold()
    {
        _held = _resultIsInner; // after a fault there is nothing that the inner reader could be advanced over
        if (_advancedTo is { } position && !_result.Buffer.IsEmpty)
        {
            _result = new ReadResult(_result.Buffer.Slice(position), _result.IsCanceled, _result.IsCompleted);
        }

        _advancedTo = null;
        return _result;
    }

    private void Tell()
    {
        bool bytes = !_result.Buffer.IsEmpty && _watchForBytes;
        if (!_ended && !bytes)
        {
            return;
        }

        IConnectionWatch? watch = Interlocked.Exchange(ref _watch, null);
        if (_ended)
        {
            watch?.OnPeerEnded();
        }
        else
        {
            watch?.OnBytesUnasked();
        }
    }
}
