using System.IO.Pipelines;

namespace McpProxyFast.Transport;

/// <summary>Told when something happens on a side that nobody reads.</summary>
internal interface IConnectionWatch
{
    /// <summary>The peer ended or reset the connection. Called at most once per watch, on whatever thread noticed; must not block.</summary>
    void OnPeerEnded();

    /// <summary>Bytes came that were not asked for. Called only where the watch was set for them.</summary>
    void OnBytesUnasked();
}

/// <summary>What has come on a side that nobody reads.</summary>
internal enum Arrival : byte
{
    Nothing,
    Bytes,
    End,
}

/// <summary>A pipe reader that can also notice, while nobody reads, that the peer has gone.</summary>
/// <remarks>
/// One owner reads. A result may be held (read and not yet advanced) while the watch is on; the watch ends with <see cref="Unwatch"/>,
/// after which the next read finds whatever came. <see cref="PipeReader.CancelPendingRead"/> may be called from any thread.
/// </remarks>
internal abstract class WatchedReader : PipeReader
{
    /// <summary>The peer was seen to end its side, though bytes may still be unread.</summary>
    public abstract bool PeerEnded { get; }

    /// <summary>The end was a reset or another error, not an orderly one. Meaningful once a read has completed.</summary>
    public abstract bool EndedByFault { get; }

    /// <summary>A watch may stay on while the owner reads: it sees the end even behind bytes that nobody has read yet.</summary>
    public abstract bool CanBeWatchedWhileRead { get; }

    /// <summary>Looks what has come by now, where nothing is expected; only for the owner, without a watch and while no result is held.</summary>
    public abstract Arrival Look();

    /// <summary>Starts the watch. If the peer has ended already, the watch is told before this returns.</summary>
    /// <param name="watch">Whom to tell.</param>
    /// <param name="forBytes">Tell of any byte too: on an idle connection none is expected.</param>
    public abstract void Watch(IConnectionWatch watch, bool forBytes);

    /// <summary>Told by the heartbeat: looks whether the peer has ended behind bytes that wait to be read. For readers that cannot see it by themselves.</summary>
    public virtual void LookBehindBytes()
    {
    }

    /// <summary>Ends the watch. One more call may be under way on another thread.</summary>
    public abstract void Unwatch();
}
