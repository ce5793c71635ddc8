namespace McpProxyFast.Transport;

/// <summary>One event loop per processor the process may use; connections are spread over them in turn.</summary>
internal sealed class EventLoops : IDisposable
{
    private readonly EventLoop[] _loops;
    private uint _next;

    private EventLoops(int count) => _loops = [.. Enumerable.Range(0, count).Select(number => new EventLoop(number))];

    /// <summary>Makes the loops where the system has epoll; null elsewhere.</summary>
    public static EventLoops? TryCreate() => OperatingSystem.IsLinux() ? new EventLoops(Environment.ProcessorCount) : null;

    public EventLoop Next() => _loops[Interlocked.Increment(ref _next) % (uint)_loops.Length];

    public void Dispose()
    {
        foreach (EventLoop loop in _loops)
        {
            loop.Dispose();
        }
    }
}
