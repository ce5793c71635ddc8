using System.Net;
using System.Net.Sockets;
using McpProxyFast.OAuth.Net;
using Xunit;

namespace McpProxyFast.Authorization.Tests.Outgoing;

public class PrivateAddressTests
{
    [Theory]
    [InlineData("127.0.0.1")]
    [InlineData("10.1.2.3")]
    [InlineData("172.31.255.255")]
    [InlineData("192.168.0.1")]
    [InlineData("169.254.169.254")]
    [InlineData("100.64.0.1")]
    [InlineData("0.0.0.0")]
    [InlineData("::1")]
    [InlineData("::")]
    [InlineData("fe80::1")]
    [InlineData("fd00::1")]
    [InlineData("::ffff:10.0.0.1")]
    [InlineData("64:ff9b::a00:1")]
    [InlineData("2002:a00:1::")]
    [InlineData("64:ff9b:1::a00:1")]
    [InlineData("::127.0.0.1")]
    [InlineData("::ffff:169.254.169.254")]
    [InlineData("198.18.0.1")]
    [InlineData("192.0.2.1")]
    [InlineData("224.0.0.1")]
    [InlineData("255.255.255.255")]
    [InlineData("ff02::1")]
    [InlineData("2001:0:a00:1::")]
    public void PrivateAddressesAreKnown(string address)
    {
        Assert.True(PrivateAddresses.Contains(IPAddress.Parse(address)));
    }

    [Theory]
    [InlineData("8.8.8.8")]
    [InlineData("172.32.0.1")]
    [InlineData("2606:4700::1111")]
    [InlineData("::ffff:8.8.8.8")]
    [InlineData("64:ff9b::808:808")]
    public void PublicAddressesPass(string address)
    {
        Assert.False(PrivateAddresses.Contains(IPAddress.Parse(address)));
    }

    /// <summary>A proxy that starts before its network is up must not refuse the server of a private target for the rest of its life.</summary>
    [Fact]
    public async Task LookUpOfTheTargetThatFailsIsMadeAgain()
    {
        bool isUp = false;
        var guard = new AddressGuard(new Uri("https://mcp.corp/mcp"), [], (host, _) => host is "mcp.corp" && !isUp
            ? Task.FromException<IPAddress[]>(new SocketException((int)SocketError.TryAgain))
            : Task.FromResult<IPAddress[]>([IPAddress.Parse("10.0.0.1")]));
        var server = new Uri("https://login.corp/token");

        OAuthException refused = await Assert.ThrowsAsync<OAuthException>(() => guard.CheckAsync(server, CancellationToken.None));
        Assert.Equal("private-address", refused.Code);

        isUp = true;
        await guard.CheckAsync(server, CancellationToken.None);
    }
}
