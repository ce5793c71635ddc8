using System.Diagnostics;

namespace McpProxyFast.Transport;

/// <summary>A byte channel that never blocks. It receives, sends and closes, and it reports when it can continue.</summary>
/// <remarks>
/// One owner receives and one sends (<see cref="ConnectionReader"/>, <see cref="ConnectionWriter"/>). A call that cannot continue returns
/// <see cref="WouldBlock"/>. As soon as a new try may succeed, the channel sets <see cref="Reading"/> or <see cref="Writing"/>, and if the owner is waiting,
/// calls it.
/// <code>
///   Open ──► Aborted (any thread, any time) ──► Closed (the owner, once)
///     └──────────────────────────────────────────►
/// </code>
/// Channel operations never throw because of the peer: any exception from a system, stream or pipe counts as an end by fault.
/// </remarks>
internal abstract class Channel
{
    /// <summary>Nothing can be received or sent now. <see cref="Reading"/> or <see cref="Writing"/> is set as soon as that changes.</summary>
    public const int WouldBlock = -1;

    /// <summary>The direction has ended by a fault, for good.</summary>
    public const int Broken = -2;

    /// <summary>Set by the channel when a receive may succeed. The reader takes it before it receives.</summary>
    public Readiness Reading;

    /// <summary>Set by the channel when a send may succeed. The writer takes it before it sends.</summary>
    public Readiness Writing;

    /// <summary>Completes when the channel has released everything. Null until then, unless <see cref="Closed"/> has been read.</summary>
    private TaskCompletionSource? _closed;

    /// <summary>The reader that receives from this channel. Valid from <see cref="Open"/> on.</summary>
    private ConnectionReader? _reader;

    /// <summary>The writer that sends over this channel. Valid from <see cref="Open"/> on.</summary>
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

    /// <summary><see cref="Abort"/> was called. What is received afterwards may be incomplete.</summary>
    public bool IsAborted => _isAborted;

    /// <summary>The event loop that serves this channel; null if none does: then the threads of the runtime's pool serve it.</summary>
    public virtual Affinity? Affinity => null;

    /// <summary>The events of this channel may wait until those of other channels have been served.</summary>
    public virtual bool IsBulk { get; set; }

    /// <summary>
    /// Completes when the channel has released everything that it holds: its descriptor, stream or ends of a host program's pipe, and its own buffers.
    /// </summary>
    public Task Closed
    {
        get
        {
            if (Volatile.Read(ref _closed) is { } known)
            {
                return known.Task;
            }

            // Continuations run inline on the thread that releases the last resource. That thread does not use the channel afterwards.
            var made = new TaskCompletionSource();
            return (Interlocked.CompareExchange(ref _closed, made, null) ?? made).Task;
        }
    }

    /// <summary>The number of buffers that the channel itself holds now. For tests.</summary>
    public virtual int HeldBuffers => 0;

    /// <summary>Starts the events. The first may arrive before this returns.</summary>
    /// <exception cref="IOException">The system cannot watch the descriptor. The descriptor has been closed.</exception>
    public void Open(ConnectionReader reader, ConnectionWriter writer)
    {
        Debug.Assert(_reader is null, "A channel is opened once.");
        _reader = reader;
        _writer = writer;
        Start();
    }

    /// <summary>
    /// A receive may leave bytes behind even if it did not fill its buffer. No event reports these bytes, so the next receive must not wait for one.
    /// </summary>
    public virtual bool StopsShort => false;

    /// <summary>Receives what is available.</summary>
    /// <param name="room">The buffer; not empty.</param>
    /// <returns>The number of bytes received; 0 for an orderly end; <see cref="WouldBlock"/> or <see cref="Broken"/>.</returns>
    public abstract int Receive(Span<byte> room);

    /// <summary>
    /// The connection was reset, even if <see cref="Receive"/> reported an orderly end. A system reports a reset only once. If a send got that report, a
    /// receive finds what looks like an orderly end after the last bytes. A reset that follows an orderly end does not count. Only the owner may ask, after it
    /// has received the end and before it closes, and only if it has not ended its own side.
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
    /// <param name="asksSystem">
    /// Whether the system is asked in any case. If false, it is asked only if it may know something that has not been reported to the channel.
    /// </param>
    public abstract Arrival Look(bool asksSystem);

    /// <summary>
    /// Whether the heartbeat must ask <see cref="MayHideEnd"/>. It must if the channel cannot notice by itself, while its buffer is full, that the peer has
    /// ended.
    /// </summary>
    public virtual bool MustAskForEnd => false;

    /// <summary>
    /// The buffer is full now, so the peer may have ended unnoticed. From any thread. Asked at each heartbeat if <see cref="MustAskForEnd"/> is true.
    /// </summary>
    public virtual bool MayHideEnd => false;

    /// <summary>
    /// Checks whether the peer has ended behind a full buffer, and if so, reports it to the watch. May call a host program's code. From any thread.
    /// </summary>
    public virtual void LookForEnd()
    {
    }

    /// <summary>Received bytes are waiting in this channel or in the layer below it. Used on the thread that reports them.</summary>
    protected abstract bool HasUnread { get; }

    /// <summary>Called when a watch is about to be set. Events from before this call may still be unreported.</summary>
    public virtual void OnWatchStarted()
    {
    }

    /// <summary>
    /// Postpones a receive: the channel's event loop serves other connections first, and then calls the reader. The caller has taken the readiness.
    /// </summary>
    /// <returns>False if no event loop serves the channel, or the caller is on another thread than the loop's. Then the caller must receive at once.</returns>
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
    /// <param name="reset">Whether the peer sees a reset instead of an orderly end.</param>
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
    /// The end is published before the readiness, so the thread that takes the readiness also sees the end. The watch is called for an end even if a reader was
    /// waiting, but only after that reader got the bytes. A watch that another thread sets during this call is not missed: <see cref="ConnectionReader.Watch"/>
    /// publishes the watch and then reads <see cref="PeerEnded"/>; this method publishes the end and then reads the watch. Each has an interlocked operation in
    /// between, so at least one of them sees what the other has published.
    /// </remarks>
    /// <param name="ended">Whether the end has arrived.</param>
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
            // Only a watch that was set before the readiness was given is called. Since then the bytes may have been read, and a new watch may have been set.
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
    /// Called when the other connections have been served after <see cref="TryWaitForTurn"/>. Calls the reader if its read still waits. If that read has been
    /// completed or cancelled meanwhile, the readiness is kept for the next one.
    /// </summary>
    protected void TellTurn()
    {
        if (Reading.Give())
        {
            _reader!.OnReadable();
        }
    }

    /// <summary>Reports that the channel has released everything. The caller does not use the channel afterwards.</summary>
    protected void CompleteClosed() => Interlocked.CompareExchange(ref _closed, AllClosed, null)?.TrySetResult();

    private static TaskCompletionSource MakeCompleted()
    {
        var completed = new TaskCompletionSource();
        completed.SetResult();
        return completed;
    }
}
