using McpProxyFast.Transport.Network;

namespace McpProxyFast.Engine.Tests.Transport.Network;

/// <summary>How many connections the process has descriptors for.</summary>
public sealed class DescriptorsTests
{
    [Theory]
    [InlineData("/no/such/folder")]
    [InlineData("/etc/hostname")]
    public void RoomIsKnownWithoutAListOfOpenDescriptors(string listing)
    {
        int known = Descriptors.RoomFor(int.MaxValue);
        int guessed = Descriptors.RoomFor(int.MaxValue, listing);

        // Other tests open and close descriptors meanwhile.
        Assert.InRange(guessed, known - 500, known + 500);
        Assert.Equal(1, Descriptors.RoomFor(1, listing));
    }
}
