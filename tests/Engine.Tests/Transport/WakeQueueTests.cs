using McpProxyFast.Transport;

namespace McpProxyFast.Engine.Tests.Transport;

/// <summary>What is due is run whatever the thread pool, or something else that was due, is busy with.</summary>
public sealed class WakeQueueTests : IDisposable
{
    private readonly WakeQueue _queue = new();
    private readonly ManualResetEventSlim _goesOn = new();

    public void Dispose() => _goesOn.Set();

    [Fact]
    public async Task WhatIsDueRunsOnAThreadOfItsOwn()
    {
        var isOnThePool = new TaskCompletionSource<bool>(TaskCreationOptions.RunContinuationsAsynchronously);
        _queue.Add(new Item(() => isOnThePool.SetResult(Thread.CurrentThread.IsThreadPoolThread)));

        Assert.False(await isOnThePool.Task.Soon());
    }

    [Fact]
    public async Task WhatIsDueRunsInItsOrder()
    {
        var order = new List<int>();
        var isLast = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        for (int i = 0; i < 100; i++)
        {
            int number = i;
            _queue.Add(new Item(() => order.Add(number)));
        }

        _queue.Add(new Item(isLast.SetResult));
        await isLast.Task.Soon();
        Assert.Equal(Enumerable.Range(0, 100), order);
    }

    [Fact]
    public async Task OneThatBlocksHoldsUpNothingElse()
    {
        _queue.Add(new Item(_goesOn.Wait));
        var hasRun = new TaskCompletionSource();
        _queue.Add(new Item(hasRun.SetResult));

        await Patience.NudgeUntilEndedAsync(hasRun.Task, _queue.OnBeat);
    }

    [Fact]
    public async Task SoManyMayBlockAndTheRestWaits()
    {
        int blocked = 0;
        for (int i = 0; i < WakeQueue.MaxThreads; i++)
        {
            _queue.Add(new Item(() =>
            {
                Interlocked.Increment(ref blocked);
                _goesOn.Wait();
            }));
        }

        var hasRun = new TaskCompletionSource();
        _queue.Add(new Item(hasRun.SetResult));
        await Patience.UntilAsync(() =>
        {
            _queue.OnBeat();
            return Volatile.Read(ref blocked) == WakeQueue.MaxThreads;
        });

        _queue.OnBeat();
        _queue.OnBeat();
        Assert.Equal(WakeQueue.MaxThreads, _queue.Threads);
        Assert.False(hasRun.Task.IsCompleted);
        _goesOn.Set();
        await hasRun.Task.Soon();
    }

    private sealed class Item(Action run) : IThreadPoolWorkItem
    {
        public void Execute() => run();
    }
}
