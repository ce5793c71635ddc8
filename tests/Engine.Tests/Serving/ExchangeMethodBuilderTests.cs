using System.Runtime.CompilerServices;
using McpProxyFast.Serving;

namespace McpProxyFast.Engine.Tests.Serving;

public sealed class ExchangeMethodBuilderTests
{
    [Fact]
    public async Task MethodThatNeverWaitsReturnsItsResult() => Assert.Equal(3, await AddAsync(1, Task.FromResult(2)));

    [Fact]
    public async Task MethodThatWaitsReturnsItsResult()
    {
        var later = new TaskCompletionSource<int>();
        ValueTask<int> sum = AddAsync(1, later.Task);
        Assert.False(sum.IsCompleted);

        later.SetResult(2);

        Assert.Equal(3, await sum);
    }

    [Fact]
    public async Task ManyMethodsInFlightKeepTheirOwnResults()
    {
        TaskCompletionSource<int>[] later = [.. Enumerable.Range(0, 100).Select(_ => new TaskCompletionSource<int>())];
        for (int round = 0; round < 3; round++)
        {
            Task<int>[] sums = [.. later.Select((source, i) => AddAsync(i, source.Task).AsTask())];
            for (int i = later.Length - 1; i >= 0; i--)
            {
                later[i].SetResult(i);
            }

            Assert.Equal(Enumerable.Range(0, 100).Select(i => 2 * i), await Task.WhenAll(sums));
            later = [.. later.Select(_ => new TaskCompletionSource<int>())];
        }
    }

    [Fact]
    public async Task ExceptionBeforeTheFirstWaitReachesTheCaller() =>
        await Assert.ThrowsAsync<InvalidDataException>(async () => await ThrowAsync(Task.CompletedTask));

    [Fact]
    public async Task ExceptionAfterAWaitReachesTheCaller()
    {
        var later = new TaskCompletionSource();
        ValueTask<int> thrown = ThrowAsync(later.Task);

        later.SetResult();

        await Assert.ThrowsAsync<InvalidDataException>(async () => await thrown);
    }

    [AsyncMethodBuilder(typeof(ExchangeMethodBuilder<>))]
    private static async ValueTask<int> AddAsync(int one, Task<int> other) => one + await other;

    [AsyncMethodBuilder(typeof(ExchangeMethodBuilder<>))]
    private static async ValueTask<int> ThrowAsync(Task before)
    {
        await before;
        throw new InvalidDataException();
    }
}
