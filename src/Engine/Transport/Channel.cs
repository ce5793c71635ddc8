using System.Diagnostics;

namespace McpProxyFast.Transport;

/// <summary>A byte channel that never blocks. It receives, sends and closes, and it reports when it can continue.</summary>
/// <remarks>
/// One owner receives and one sends (<see cref="ConnectionReader"/>, <see cref="ConnectionWriter"/>). A call that cannot continue returns
/// <see cref="WouldBlock"/>. Later <see cref="Reading"/> or <see cref="Writing"/> gets a readiness, and if the owner is waiting, it is called.
/// <code>
///   Open ──► Aborted (any thread, any time) ──► Closed (the owner, once)
///     └──────────────────────────────────────────►
/// </code>
/// Channel operations never throw because of the peer: any exception from a system, stream or pipe counts as an end by fault.
/// </remarks>
internal abstract class Channel
{
    /// <summary>Nothing can be received or sent now. A readiness follows.</summary>
    public const int WouldBlock = -1;

    /// <summary>The direction has ended by a fault, for good.</summary>
    public const int Broken = -2;

    /// <summary>Something may be received. Given by the channel, taken by the reader.</summary>
    public Readiness Reading;

    /// <summary>Something may be sent. Given by the channel, taken by the writer.</summary>
    public Readiness Writing;

    /// <summary>Completed when everything has been released. Null until then, unless somebody asked before.</summary>
    private TaskCompletionSource? _closed;

    /// <summary>The receiver. Valid from <see cref="Open"/> on.</summary>
    private ConnectionReader? _reader;

    /// <summary>The sender. Valid from <see cref="Open"/> on.</summary>
    private ConnectionWriter? _writer;

    /// <summary>The peer has ended its side, or the channel is broken. Never reset.</summary>
    private volatile bool _peerEnded;

    /// <summary>This side has aborted the channel. Never reset.</summary>
    private volatile bool _isAborted;

    /// <summary>1 once <see cref="Close"/> has been called.</summary>
    private int _isClosed;

    private static readonly TaskCompletionSource AllClosed = MakeCompleted();

    /// <summary>The peer has ended its side, or the channel is broken. Bytes may still be unread. Never becomes false again.</summary>
    public bool PeerEnded => _peerEnded;

    /// <summary><see cref="Abort"/> was called. Data received since may be incomplete.</summary>
    public bool IsAborted => _isAborted;

    /// <summary>What serves this channel; null if any thread may.</summary>
    public virtual Affinity? Affinity => null;

    /// <summary>The events of this channel may wait until those of other channels have been served.</summary>
    public virtual bool IsBulk { get; set; }

    /// <summary>Completes when everything has been released: descriptors, streams, a host's pipe ends, buffers.</summary>
    public Task Closed
    {
        get
        {
            if (Volatile.Read(ref _closed) is { } known)
            {
                return known.Task;
            }

            // Continuations run inline where the last party leaves: nothing of the channel is used after that.
            var made = new TaskCompletionSource();
            return (Interlocked.CompareExchange(ref _closed, made, null) ?? made).Task;
        }
    }

    /// <summary>The buffers that the channel itself holds now. For tests.</summary>
    public virtual int HeldBuffers => 0;

    /// <summary>Starts the events. The first may arrive before this returns.</summary>
    /// <exception cref="IOException">The system cannot watch the descriptor. It has been closed.</exception>
    public void Open(ConnectionReader reader, ConnectionWriter writer)
    {
        Debug.Assert(_reader is null, "A channel is opened once.");
        _reader = reader;
        _writer = writer;
        Start();
    }

    /// <summary>A receive may leave bytes behind even if it did not fill its buffer, so the next one need not wait for a readiness.</summary>
    public virtual bool StopsShort => false;

    /// <summary>Receives what is available.</summary>
    /// <param name="room">The buffer; not empty.</param>
    /// <returns>The number of bytes received; 0 for an orderly end; <see cref="WouldBlock"/> or <see cref="Broken"/>.</returns>
    public abstract int Receive(Span<byte> room);

    /// <summary>
    /// The connection was reset, even if <see cref="Receive"/> reported an orderly end. A system reports a reset only once; if a send got the report, a receive
    /// finds what looks like an orderly end after the last bytes. A reset after an orderly end does not count. For the owner, after it has received the end,
    /// before it closes, and while it has not ended its own side.
    /// </summary>
    public abstract bool WasReset { get; }

    /// <summary>Sends as much as possible now: first the pending bytes, then the source. After this returns, neither is used any more.</summary>
    /// <returns>
    /// The number of bytes taken; <see cref="WouldBlock"/> or <see cref="Broken"/>. A channel that cannot tell at once how many bytes it took reports them in a
    /// later call. So after <see cref="WouldBlock"/> the caller must pass the same bytes again.
    /// </returns>
    public abstract int Send(ReadOnlySpan<byte> pending, ReadOnlyMemory<byte> source);

    /// <summary>
    /// The bytes that the peer's system has acknowledged, if the local system reports that; otherwise the bytes taken. From any thread; may make a system call.
    /// </summary>
    /// <param name="taken">The bytes that <see cref="Send"/> has taken.</param>
    public virtual long CountDelivered(long taken) => taken;

    /// <summary>Checks what has arrived, without consuming it. For the owner, while nobody reads.</summary>
    /// <param name="asksSystem">Always ask the system, not only if it may know something that has not been reported.</param>
    public abstract Arrival Look(bool asksSystem);

    /// <summary>The channel cannot notice by itself that the peer has ended after bytes that do not fit its buffer yet.</summary>
    public virtual bool MustAskForEnd => false;

    /// <summary>Such an end may be there now. From any thread; asked at each heartbeat if <see cref="MustAskForEnd"/>.</summary>
    public virtual bool MayHideEnd => false;

    /// <summary>Checks for such an end. May call a host's code. From any thread.</summary>
    public virtual void LookForEnd()
    {
    }

    /// <summary>Received bytes are waiting here or in the layer below. Used on the thread that reports them.</summary>
    protected abstract bool HasUnread { get; }

    /// <summary>A watch begins. From now on, everything that arrives is reported.</summary>
    public virtual void OnWatchStarted()
    {
    }

    /// <summary>Queues a readiness that the reader has taken, so that the channel's thread serves other connections first.</summary>
    /// <returns>False if there is no such thread, or the caller is on another one. Then the readiness must be used at once.</returns>
    public virtual bool TryWaitForTurn() => false;

    /// <summary>Ends the sending side. Bytes from the peer can still be received. From any thread.</summary>
    public abstract void ShutdownSend();

    /// <summary>Ends both directions. From any thread, at any time. Pending waits wake up and find the end.</summary>
    public void Abort()
    {
        _isAborted = true;
        OnAbort();
    }

    /// <summary>Releases everything, now or as soon as pending operations have ended. Never writes, never blocks. A second call does nothing.</summary>
    /// <param name="reset">The peer is to see a reset, not an orderly end.</param>
    /// <returns>Whether this was the first call.</returns>
    public bool Close(bool reset)
    {
        if (Interlocked.Exchange(ref _isClosed, 1) != 0)
        {
            return false;
        }

        Debug.Assert(!Reading.IsArmed && !Writing.IsArmed, "Nothing waits on a connection that its owner closes.");
        OnClose(reset);
        return true;
    }

    /// <summary><see cref="Close"/> was called.</summary>
    protected bool IsClosed => Volatile.Read(ref _isClosed) != 0;

    protected abstract void Start();

    protected abstract void OnAbort();

    protected abstract void OnClose(bool reset);

    /// <summary>Reports that bytes, or the end, have arrived. At most one caller at a time.</summary>
    /// <remarks>
    /// The end is published before the readiness, so the thread that takes the readiness also sees the end. The watch is told about an end even if a reader was
    /// waiting, but only after the reader got the bytes. A watch that is set meanwhile is not missed: it is published before <see cref="PeerEnded"/> is read
    /// there, and here the end is published before the watch is read. Both sides have an interlocked operation in between, so at least one sees the other.
    /// </remarks>
    /// <param name="ended">The end has arrived.</param>
    protected void TellReadable(bool ended)
    {
        if (ended)
        {
            _peerEnded = true;
        }

        IConnectionWatch? idle = _reader!.WatchForBytes; // read before the readiness is given: a watch set later checks for bytes itself
        bool wasAwaited = Reading.Give();
        if (wasAwaited)
        {
            _reader.OnReadable();
        }

        if (IsClosed)
        {
            return;
        }

        if (ended)
        {
            _reader.TellPeerEnded();
        }
        else if (!wasAwaited && idle is not null && HasUnread)
        {
            // The bytes may have been read since they were noticed, and the watch set after that.
            _reader.TellUnexpectedBytes(idle);
        }
    }

    /// <summary>Reports that the peer has ended its side after bytes that cannot be received yet.</summary>
    protected void TellEndBehind() => _reader!.TellPeerEnded();

    /// <summary>Reports that a send may continue, or has failed. At most one caller at a time.</summary>
    protected void TellWritable()
    {
        if (Writing.Give())
        {
            _writer!.OnWritable();
        }
    }

    /// <summary>
    /// Called when the turn requested by <see cref="TryWaitForTurn"/> has come. If the reader was called meanwhile or was cancelled, the readiness is kept.
    /// </summary>
    protected void TellTurn()
    {
        if (Reading.Give())
        {
            _reader!.OnReadable();
        }
    }

    /// <summary>Reports that everything has been released.</summary>
    protected void CompleteClosed() => Interlocked.CompareExchange(ref _closed, AllClosed, null)?.TrySetResult();

    private static TaskCompletionSource MakeCompleted()
    {
        var completed = new TaskCompletionSource();
        completed.SetResult();
        return completed;
    }
}
