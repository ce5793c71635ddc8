using System.Diagnostics;

namespace McpProxyFast.Transport;

/// <summary>A byte channel that never blocks: it receives, sends, closes, and says when it can.</summary>
/// <remarks>
/// One owner receives and one sends (<see cref="ConnectionReader"/>, <see cref="ConnectionWriter"/>). A call that cannot go on returns
/// <see cref="WouldBlock"/>; a readiness follows in <see cref="Reading"/> or <see cref="Writing"/>, and where the owner waits, it is called.
/// <code>
///   Open ──► Aborted (any thread, any time) ──► Closed (the owner, once)
///     └──────────────────────────────────────────►
/// </code>
/// Nothing that a channel does throws because of its peer: whatever a system, stream or pipe throws is an end by fault.
/// </remarks>
internal abstract class Channel
{
    /// <summary>Nothing can be received, or sent, now; a readiness follows.</summary>
    public const int WouldBlock = -1;

    /// <summary>The direction has ended by a fault, and stays so.</summary>
    public const int Broken = -2;

    /// <summary>Something may have come. Given by the channel, taken by the reader.</summary>
    public Readiness Reading;

    /// <summary>Something may be sent. Given by the channel, taken by the writer.</summary>
    public Readiness Writing;

    /// <summary>Completed when everything has been given back; null until somebody asks or it is.</summary>
    private TaskCompletionSource? _closed;

    /// <summary>Who receives. Valid from <see cref="Open"/>.</summary>
    private ConnectionReader? _reader;

    /// <summary>Who sends. Valid from <see cref="Open"/>.</summary>
    private ConnectionWriter? _writer;

    /// <summary>The peer has ended its side, or the channel is broken. Never reset.</summary>
    private volatile bool _peerEnded;

    /// <summary>Ended from this side. Never reset.</summary>
    private volatile bool _isAborted;

    /// <summary>1 once <see cref="Close"/> has been called.</summary>
    private int _isClosed;

    private static readonly TaskCompletionSource AllClosed = MakeCompleted();

    /// <summary>The peer ended its side, or the channel is broken, though bytes may still be unread. Once true it stays.</summary>
    public bool PeerEnded => _peerEnded;

    /// <summary><see cref="Abort"/> has been called: what was received since is not whole.</summary>
    public bool IsAborted => _isAborted;

    /// <summary>What serves this channel; null where any thread may.</summary>
    public virtual Affinity? Affinity => null;

    /// <summary>Its events may wait until those of others have been served.</summary>
    public virtual bool IsBulk { get; set; }

    /// <summary>Completes when everything has been given back: descriptors, streams, a host's pipe ends, buffers.</summary>
    public Task Closed
    {
        get
        {
            if (Volatile.Read(ref _closed) is { } known)
            {
                return known.Task;
            }

            var made = new TaskCompletionSource(); // what waits for it goes on where the last party leaves: nothing of the channel comes after that
            return (Interlocked.CompareExchange(ref _closed, made, null) ?? made).Task;
        }
    }

    /// <summary>Buffers that the channel itself holds now. For tests.</summary>
    public virtual int HeldBuffers => 0;

    /// <summary>Starts the events. One may come before this returns.</summary>
    /// <exception cref="IOException">The system refused to watch the descriptor. It has been closed.</exception>
    public void Open(ConnectionReader reader, ConnectionWriter writer)
    {
        Debug.Assert(_reader is null, "A channel is opened once.");
        _reader = reader;
        _writer = writer;
        Start();
    }

    /// <summary>A receive may leave bytes behind even where it did not fill its room: the next one need not wait for a readiness.</summary>
    public virtual bool StopsShort => false;

    /// <summary>Receives what there is.</summary>
    /// <param name="room">Where to; not empty.</param>
    /// <returns>The bytes received; 0 for an orderly end; <see cref="WouldBlock"/> or <see cref="Broken"/>.</returns>
    public abstract int Receive(Span<byte> room);

    /// <summary>
    /// The connection has been reset, whatever <see cref="Receive"/> says of its end: a system tells of a reset once, and where a send was told, what follows
    /// the last bytes looks like an orderly end. A reset behind an orderly end is none. For the owner, once it has received the end, until it closes, and
    /// while it has not ended its own side.
    /// </summary>
    public abstract bool WasReset { get; }

    /// <summary>Sends as much as can be taken now: first what is pending, then the source. Nothing of either is used after this returns.</summary>
    /// <returns>
    /// The bytes taken; <see cref="WouldBlock"/> or <see cref="Broken"/>. A channel that could not tell at once how many bytes it took counts them in a later
    /// call, so after <see cref="WouldBlock"/> the same bytes are shown again.
    /// </returns>
    public abstract int Send(ReadOnlySpan<byte> pending, ReadOnlyMemory<byte> source);

    /// <summary>
    /// Bytes that have reached the peer's system, as far as this one says; else those that this one has taken. From any thread; it may ask the system.
    /// </summary>
    /// <param name="taken">Bytes that <see cref="Send"/> has taken.</param>
    public virtual long CountDelivered(long taken) => taken;

    /// <summary>Looks what has come, and leaves it there. For the owner, while nobody reads.</summary>
    /// <param name="asksSystem">Ask the system in any case, and not only where it may have something that has not been told.</param>
    public abstract Arrival Look(bool asksSystem);

    /// <summary>
    /// Looks whether the peer has ended behind bytes that wait for room, where the channel cannot see that by itself. Asked at each heartbeat.
    /// </summary>
    public virtual void LookForEnd()
    {
    }

    /// <summary>Received bytes lie here, or below, that the owner has not had. From the thread that tells of them.</summary>
    protected abstract bool HasUnread { get; }

    /// <summary>A watch begins: from now on everything that comes is told.</summary>
    public virtual void OnWatchStarted()
    {
    }

    /// <summary>Puts a readiness that the reader has taken behind what the channel's thread has for others.</summary>
    /// <returns>False where there is no such thread, or this is not it: then the readiness is to be used at once.</returns>
    public virtual bool TryWaitForTurn() => false;

    /// <summary>Says that no more bytes will be sent; the peer's can still be received. From any thread.</summary>
    public abstract void ShutdownSend();

    /// <summary>Ends both directions. From any thread, at any time: what waits wakes up and finds the end.</summary>
    public void Abort()
    {
        _isAborted = true;
        OnAbort();
    }

    /// <summary>
    /// Gives everything back, now or, where something is still out, as soon as that has ended. Never writes, never blocks. Once: a second call does
    /// nothing.
    /// </summary>
    /// <param name="reset">The peer shall see a reset, not an orderly end.</param>
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

    /// <summary><see cref="Close"/> has been called.</summary>
    protected bool IsClosed => Volatile.Read(ref _isClosed) != 0;

    protected abstract void Start();

    protected abstract void OnAbort();

    protected abstract void OnClose(bool reset);

    /// <summary>Says that bytes came, or the end. At most one caller at a time.</summary>
    /// <remarks>
    /// The end is published before the readiness: who takes the readiness knows that there is an end behind the bytes. The watch is told of an end also where
    /// a reader was waiting, after that one has had the bytes. A watch that is set meanwhile looks at <see cref="PeerEnded"/> after it has published itself,
    /// and this looks for a watch after it has published the end, with an interlocked step in between on both sides: one of the two sees the other.
    /// </remarks>
    /// <param name="ended">The end has come.</param>
    protected void TellReadable(bool ended)
    {
        if (ended)
        {
            _peerEnded = true;
        }

        IConnectionWatch? idle = _reader!.WatchForBytes; // before the readiness is given: one that is set later has looked for itself
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
            // What was noticed may have been read since, and the watch set behind it.
            _reader.TellUnexpectedBytes(idle);
        }
    }

    /// <summary>Says that the peer has ended its side behind bytes that cannot be received yet.</summary>
    protected void TellEndBehind() => _reader!.TellPeerEnded();

    /// <summary>Says that a send may go on, or has failed. At most one caller at a time.</summary>
    protected void TellWritable()
    {
        if (Writing.Give())
        {
            _writer!.OnWritable();
        }
    }

    /// <summary>
    /// The turn that <see cref="TryWaitForTurn"/> asked for has come. The reader may have been called meanwhile, or have given up: then the readiness is
    /// kept.
    /// </summary>
    protected void TellTurn()
    {
        if (Reading.Give())
        {
            _reader!.OnReadable();
        }
    }

    /// <summary>Everything has been given back.</summary>
    protected void CompleteClosed() => Interlocked.CompareExchange(ref _closed, AllClosed, null)?.TrySetResult();

    private static TaskCompletionSource MakeCompleted()
    {
        var completed = new TaskCompletionSource();
        completed.SetResult();
        return completed;
    }
}
