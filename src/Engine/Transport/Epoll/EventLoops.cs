using System.Diagnostics;

namespace McpProxyFast.Transport.Epoll;

/// <summary>
/// One proxy's share in the event loops of the process. There is one loop for each processor that the process may use. Connections are distributed over them in
/// turn.
/// </summary>
/// <remarks>
/// The loops are created for the first share that needs them, and end with the last such share. So twenty proxies have as many threads as one, and a host that
/// hands over all connections has none. If the loops could not be created, the next call tries again.
/// </remarks>
internal sealed class EventLoops : IDisposable
{
    private static readonly Lock Sharing = new();

    /// <summary>The loops of the process; null while no share needs them. Used under the lock.</summary>
    private static EventLoop[]? s_running;

    /// <summary>The number of shares that hold the loops. Used under the lock.</summary>
    private static int s_holders;

    private static uint s_next;

    /// <summary>The loops that this share holds. Null until it needs them, and after it was disposed. Written under the lock.</summary>
    private EventLoop[]? _held;

    /// <summary>The share was disposed. Used under the lock.</summary>
    private bool _isDisposed;

    /// <summary>The next loop in turn, for one more connection.</summary>
    /// <exception cref="System.ComponentModel.Win32Exception">The system has no resources for the loops now.</exception>
    /// <exception cref="ObjectDisposedException">The share was disposed.</exception>
    public EventLoop Next()
    {
        EventLoop[] loops = Volatile.Read(ref _held) ?? Hold();
        return loops[Interlocked.Increment(ref s_next) % (uint)loops.Length];
    }

    /// <summary>Releases the share. A second call does nothing.</summary>
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

    /// <summary>Creates all loops or none.</summary>
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
