namespace McpProxyFast.Transport;

/// <summary>One event loop per processor the process may use; connections are spread over them in turn.</summary>
internal sealed class EventLoops : IDisposable
{
    private readonly Lazy<EventLoop[]> _loops;
    private uint _next;

    private EventLoops(int count) => _loops = new Lazy<EventLoop[]>(() => [.. Enumerable.Range(0, count).Select(number => new EventLoop(number))]);

    /// <summary>Prepares the loops where the system has epoll; null elsewhere. Their threads start with the first socket: a host that hands over all connections needs none.</summary>
    public static EventLoops? TryCreate() => OperatingSystem.IsLinux() ? new EventLoops(Environment.ProcessorCount) : null;

    public EventLoop Next() => _loops.Value[Interlocked.Increment(ref _next) % (uint)_loops.Value.Length];

    public void Dispose()
    {
        if (_loops.IsValueCreated)
        {
            Array.ForEach(_loops.Value, static loop => loop.Dispose());
        }
    }
}
