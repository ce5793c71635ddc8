using System.Diagnostics;

namespace McpProxyFast.Transport.Epoll;

/// <summary>
/// One proxy's share in the event loops of the process: one per processor that the process may use. Connections are spread over them in turn.
/// </summary>
/// <remarks>
/// The loops are made for the first share that needs one, and end with the last share that did: twenty proxies have as many threads as one, and a host
/// that hands
/// over all connections has none. Loops that could not be made are tried again the next time.
/// </remarks>
internal sealed class EventLoops : IDisposable
{
    private static readonly Lock Sharing = new();

    /// <summary>The loops of the process; null while no share needs them. Under the lock.</summary>
    private static EventLoop[]? s_running;

    /// <summary>Shares that hold the loops. Under the lock.</summary>
    private static int s_holders;

    private static uint s_next;

    /// <summary>The loops that this share holds; null until it needs one, and once it is given back. Written under the lock.</summary>
    private EventLoop[]? _held;

    /// <summary>Under the lock.</summary>
    private bool _isDisposed;

    /// <summary>The next loop in turn, for one more connection.</summary>
    /// <exception cref="System.ComponentModel.Win32Exception">The system has no room for the loops now.</exception>
    /// <exception cref="ObjectDisposedException">The share has been given back.</exception>
    public EventLoop Next()
    {
        EventLoop[] loops = Volatile.Read(ref _held) ?? Hold();
        return loops[Interlocked.Increment(ref s_next) % (uint)loops.Length];
    }

    /// <summary>Gives the share back. A second call does nothing.</summary>
    public void Dispose()
    {
        EventLoop[] ended = [];
        lock (Sharing)
        {
            if (!_isDisposed && _held is not null && --s_holders == 0)
            {
                ended = s_running!;
                s_running = null;
            }

            _isDisposed = true;
            Volatile.Write(ref _held, null);
            Debug.Assert(s_holders >= 0, "A share is given back once.");
        }

        Array.ForEach(ended, static loop => loop.Dispose());
    }

    private EventLoop[] Hold()
    {
        lock (Sharing)
        {
            ObjectDisposedException.ThrowIf(_isDisposed, this);
            if (_held is null)
            {
                s_running ??= Make(Environment.ProcessorCount);
                s_holders++;
                Volatile.Write(ref _held, s_running);
            }

            return _held;
        }
    }

    /// <summary>All or none.</summary>
    private static EventLoop[] Make(int count)
    {
        var made = new List<EventLoop>(count);
        try
        {
            for (int number = 0; number < count; number++)
            {
                made.Add(new EventLoop(number));
            }

            return [.. made];
        }
        catch
        {
            made.ForEach(static loop => loop.Dispose());
            throw;
        }
    }
}
