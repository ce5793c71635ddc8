using McpProxyFast.Transport;

namespace McpProxyFast.Engine.Tests.Transport;

public sealed class BuffersTests
{
    [Theory]
    [InlineData(0, Buffers.Smallest)]
    [InlineData(Buffers.Smallest, Buffers.Smallest)]
    [InlineData(Buffers.Smallest + 1, Buffers.Medium)]
    [InlineData(Buffers.Large, Buffers.Large)]
    [InlineData(Buffers.Largest, Buffers.Largest)]
    [InlineData(Buffers.Largest + 5, Buffers.Largest + 5)]
    public void RentedBufferIsOfTheNextSize(int asked, int got)
    {
        byte[] buffer = Buffers.Rent(asked);

        Assert.Equal(got, buffer.Length);
        Buffers.Return(buffer);
    }

    [Fact]
    public void ReturnedBufferIsRentedAgain()
    {
        byte[] buffer = Buffers.Rent(Buffers.Smallest + 1);

        Buffers.Return(buffer);

        Assert.Same(buffer, Buffers.Rent(Buffers.Smallest + 2));
    }

    [Fact]
    public void BufferIsNeverRentedTwice()
    {
        byte[][] rented = [.. Enumerable.Range(0, 20).Select(_ => Buffers.Rent(Buffers.Smallest))];
        Array.ForEach(rented, Buffers.Return);

        Assert.Equal(40, Enumerable.Range(0, 40).Select(_ => Buffers.Rent(Buffers.Smallest)).Distinct().Count());
    }

    [Fact]
    public void SizesGrowAndShrinkWithinTheirBounds()
    {
        int[] sizes = [Buffers.Smallest, Buffers.Medium, Buffers.Large, Buffers.Largest];

        Assert.Equal([Buffers.Medium, Buffers.Large, Buffers.Largest, Buffers.Largest], sizes.Select(Buffers.Larger));
        Assert.Equal([Buffers.Smallest, Buffers.Smallest, Buffers.Medium, Buffers.Large], sizes.Select(Buffers.Smaller));
    }

    [Fact]
    public void LargestSizeShrinksAsTheBudgetIsTaken()
    {
        var budget = new BufferBudget(Buffers.Largest * 4);

        var largest = new List<int> { budget.LargestNow };
        for (int i = 0; i < 5; i++)
        {
            budget.Take(Buffers.Largest);
            largest.Add(budget.LargestNow);
        }

        Assert.Equal([Buffers.Largest, Buffers.Largest, Buffers.Largest, Buffers.Large, Buffers.Large, Buffers.Medium], largest);
    }

    [Fact]
    public void LargestSizeGrowsAsBuffersComeBack()
    {
        var budget = new BufferBudget(Buffers.Largest * 4);
        for (int i = 0; i < 5; i++)
        {
            budget.Take(Buffers.Largest);
        }

        budget.Give(Buffers.Largest);
        Assert.Equal(Buffers.Large, budget.LargestNow);
        budget.Give(Buffers.Largest);
        budget.Give(Buffers.Largest);
        Assert.Equal(Buffers.Largest, budget.LargestNow);
    }

    [Fact]
    public void SmallBuffersAreNotCounted()
    {
        var budget = new BufferBudget(0);

        budget.Take(Buffers.Medium);

        Assert.Equal(Buffers.Largest, budget.LargestNow);
    }
}
