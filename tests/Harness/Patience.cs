using System.Diagnostics;

namespace McpProxyFast.Harness;

/// <summary>How a test waits for what must come: it fails instead of hanging. No outcome depends on the numbers.</summary>
public static class Patience
{
    /// <summary>How long what must come may take on the slowest machine.</summary>
    public static readonly TimeSpan Limit = TimeSpan.FromMinutes(2);

    private const int MaxMillisecondsBetweenLooks = 10;
    private const int MaxMillisecondsBetweenNudges = 20;

    public static Task<T> Soon<T>(this Task<T> task) => task.WaitAsync(Limit);

    public static Task Soon(this Task task) => task.WaitAsync(Limit);

    public static Task<T> Soon<T>(this ValueTask<T> task) => task.AsTask().WaitAsync(Limit);

    public static Task Soon(this ValueTask task) => task.AsTask().WaitAsync(Limit);

    /// <summary>Looks again and again until what another thread, or the system, brings about is there.</summary>
    /// <param name="holds">Whether it is there; may move a clock by hand.</param>
    /// <param name="otherwise">What the test says when it does not come.</param>
    /// <exception cref="TimeoutException">It did not come within <see cref="Limit"/>.</exception>
    public static Task UntilAsync(Func<bool> holds, string otherwise = "What the test waits for did not come.") =>
        UntilAsync(() => Task.FromResult(holds()), otherwise);

    /// <summary>As <see cref="UntilAsync(Func{bool}, string)"/>, where a look takes a request, or something else that is waited for.</summary>
    /// <exception cref="TimeoutException">It did not come within <see cref="Limit"/>.</exception>
    public static async Task UntilAsync(Func<Task<bool>> holds, string otherwise = "What the test waits for did not come.")
    {
        using var patience = new CancellationTokenSource(Limit);
        for (int looks = 1; !await holds(); looks++)
        {
            if (patience.IsCancellationRequested)
            {
                throw new TimeoutException(otherwise);
            }

            await Task.Delay(Math.Min(looks, MaxMillisecondsBetweenLooks));
        }
    }

    /// <summary>The same on a thread of the caller's own, for what takes microseconds and is waited for many thousand times.</summary>
    /// <returns>Whether it came within <see cref="Limit"/>.</returns>
    public static bool Until(Func<bool> holds)
    {
        long began = Stopwatch.GetTimestamp();
        while (!holds())
        {
            if (Stopwatch.GetElapsedTime(began) > Limit)
            {
                return false;
            }

            Thread.Yield();
        }

        return true;
    }

    /// <summary>Does something again and again, such as moving a clock, until a task has ended; between two nudges real time passes, in which it may.</summary>
    /// <param name="task">Its outcome is thrown.</param>
    /// <param name="nudge">Done first at once.</param>
    /// <exception cref="TimeoutException">It did not end within <see cref="Limit"/>.</exception>
    public static async Task NudgeUntilEndedAsync(Task task, Action nudge)
    {
        using var patience = new CancellationTokenSource(Limit);
        for (int nudges = 1; !task.IsCompleted; nudges++)
        {
            if (patience.IsCancellationRequested)
            {
                throw new TimeoutException("What the test nudges did not end.");
            }

            nudge();
            await Task.WhenAny(task, Task.Delay(Math.Min(nudges, MaxMillisecondsBetweenNudges)));
        }

        await task;
    }
}
