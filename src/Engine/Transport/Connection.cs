using System.IO.Pipelines;
using System.Net;

namespace McpProxyFast.Transport;

/// <summary>One byte stream each way, with what a proxy needs beyond a duplex pipe: a watch on a silent peer, and an end from any thread.</summary>
internal abstract class Connection : IDuplexPipe
{
    public abstract WatchedReader Input { get; }

    public abstract PipeWriter Output { get; }

    PipeReader IDuplexPipe.Input => Input;

    /// <summary>The peer's address; null where there is none, as with an in-memory pipe.</summary>
    public IPAddress? RemoteAddress { get; protected init; }

    /// <summary>The event loop that serves this connection; null for one that the system's completion threads serve.</summary>
    public virtual EventLoop? Loop => null;

    /// <summary>
    /// It is in the middle of a long body or a stream: where many connections have something at once, those go first that wait for the whole of a
    /// request or of an answer.
    /// </summary>
    public virtual bool IsBulk { get; set; }

    /// <summary>Ends both directions at once, from any thread: what waits on this connection wakes up and finds it completed.</summary>
    public abstract void Abort();

    /// <summary>Says that no more bytes will be sent; the peer's remaining ones can still be read.</summary>
    public abstract void ShutdownOutput();

    /// <summary>Gives everything back. Only for the owner, once nothing waits on the connection any more.</summary>
    /// <param name="reset">The peer shall see a reset, not an orderly end: what it received is not whole.</param>
    public abstract void Close(bool reset);
}
