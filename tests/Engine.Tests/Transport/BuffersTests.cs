using McpProxyFast.Transport;

namespace McpProxyFast.Engine.Tests.Transport;

public sealed class BuffersTests
{
    [Theory]
    [InlineData(0, 4096)]
    [InlineData(4096, 4096)]
    [InlineData(4097, 16384)]
    [InlineData(65536, 65536)]
    [InlineData(262144, 262144)]
    [InlineData(300000, 300000)]
    public void RentedBufferIsOfTheNextSize(int asked, int got) => Assert.Equal(got, Buffers.Rent(asked).Length);

    [Fact]
    public void ReturnedBufferIsRentedAgain()
    {
        byte[] buffer = Buffers.Rent(5000);

        Buffers.Return(buffer);

        Assert.Same(buffer, Buffers.Rent(6000));
    }

    [Fact]
    public void BufferIsNeverRentedTwice()
    {
        byte[][] rented = [.. Enumerable.Range(0, 20).Select(_ => Buffers.Rent(100))];
        Array.ForEach(rented, Buffers.Return);

        Assert.Equal(40, Enumerable.Range(0, 40).Select(_ => Buffers.Rent(100)).Distinct().Count());
    }

    [Fact]
    public void SizesGrowAndShrinkWithinTheirBounds()
    {
        Assert.Equal((16384, 65536, 262144, 262144), (Buffers.Larger(4096), Buffers.Larger(16384), Buffers.Larger(65536), Buffers.Larger(262144)));
        Assert.Equal((65536, 4096, 4096), (Buffers.Smaller(262144), Buffers.Smaller(16384), Buffers.Smaller(4096)));
    }
}
