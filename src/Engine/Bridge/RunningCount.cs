namespace McpProxyFast.Bridge;

/// <summary>Counts what is under way, and says when nothing is.</summary>
/// <param name="onZero">Called each time that nothing is under way any more; null for nothing.</param>
internal sealed class RunningCount(Action? onZero = null)
{
    /// <summary>Guards what follows.</summary>
    private readonly Lock _gate = new();

    /// <summary>How many are under way.</summary>
    private int _count;

    /// <summary>Completed when the count comes down to zero; null while nobody waits.</summary>
    private TaskCompletionSource? _zero;

    /// <summary>Completed when nothing is under way.</summary>
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
