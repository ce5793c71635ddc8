namespace McpProxyFast.Bridge;

/// <summary>Counts operations that are running, and tells when none is running.</summary>
/// <param name="onZero">Called each time the count becomes zero; may be null.</param>
internal sealed class RunningCount(Action? onZero = null)
{
    /// <summary>Guards the fields below.</summary>
    private readonly Lock _gate = new();

    /// <summary>How many operations are running.</summary>
    private int _count;

    /// <summary>Completed when the count becomes zero; null while nobody waits for that.</summary>
    private TaskCompletionSource? _zero;

    /// <summary>A task that ends when no operation is running.</summary>
    public Task WhenZero
    {
        get
        {
            lock (_gate)
            {
                return _count == 0
                    ? Task.CompletedTask
                    : (_zero ??= new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously)).Task;
            }
        }
    }

    public void Enter()
    {
        lock (_gate)
        {
            _count++;
        }
    }

    public void Leave()
    {
        lock (_gate)
        {
            if (--_count == 0)
            {
                _zero?.TrySetResult();
                _zero = null;
                onZero?.Invoke();
            }
        }
    }
}
