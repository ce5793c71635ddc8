using System.Diagnostics;

namespace McpProxyFast.Transport.Epoll;

/// <summary>
/// Gives one proxy the event loops of the process, which all proxies use together. There is one loop for each processor that the process may use. New
/// connections are distributed over the loops in turn.
/// </summary>
/// <remarks>
/// The loops are created when the first proxy needs them, and end when the last proxy that has used them is disposed. So twenty proxies have as many threads as
/// one, and a proxy that only gets connections over a host program's pipes needs no loops. If the loops cannot be created, the next call tries again.
/// </remarks>
internal sealed class EventLoops : IDisposable
{
    private static readonly Lock Sharing = new();

    /// <summary>The loops of the process; null while no proxy uses them. Used under the lock.</summary>
    private static EventLoop[]? s_running;

    /// <summary>The number of proxies that use the loops now. Used under the lock.</summary>
    private static int s_holders;

    private static uint s_next;

    /// <summary>The loops while this proxy uses them; null before it needs them and after it was disposed. Written under the lock.</summary>
    private EventLoop[]? _held;

    /// <summary><see cref="Dispose"/> was called. Used under the lock.</summary>
    private bool _isDisposed;

    /// <summary>Returns the loop for the next connection.</summary>
    /// <exception cref="System.ComponentModel.Win32Exception">The system has no resources for the loops now.</exception>
    /// <exception cref="ObjectDisposedException"><see cref="Dispose"/> was called.</exception>
    public EventLoop Next()
    {
        EventLoop[] loops = Volatile.Read(ref _held) ?? Hold();
        return loops[Interlocked.Increment(ref s_next) % (uint)loops.Length];
    }

    /// <summary>Ends this proxy's use of the loops. If no other proxy uses them, the loops end. A second call does nothing.</summary>
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
