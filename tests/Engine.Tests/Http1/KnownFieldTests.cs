using System.Text;
using McpProxyFast.Http1;

namespace McpProxyFast.Engine.Tests.Http1;

public sealed class KnownFieldTests
{
    [Theory]
    [InlineData("Host", nameof(KnownField.Host))]
    [InlineData("CONTENT-LENGTH", nameof(KnownField.ContentLength))]
    [InlineData("te", nameof(KnownField.Te))]
    [InlineData("Proxy-Authorization", nameof(KnownField.ProxyOther))]
    [InlineData("Proxy-A", nameof(KnownField.ProxyOther))]
    [InlineData("Proxy-Foo", nameof(KnownField.ProxyOther))]
    [InlineData("Proxy-Foo-Ba", nameof(KnownField.ProxyOther))]
    [InlineData("X-Forwarded-Port", nameof(KnownField.XForwardedOther))]
    [InlineData("Content_Length", nameof(KnownField.Lookalike))]
    [InlineData("X_Forwarded_For", nameof(KnownField.Lookalike))]
    [InlineData("Transfer_Encoding", nameof(KnownField.Lookalike))]
    [InlineData("X_Own", nameof(KnownField.None))]
    [InlineData("Mcp-Session-Id", nameof(KnownField.None))]
    [InlineData("Hosts", nameof(KnownField.None))]
    [InlineData("Proxy-", nameof(KnownField.None))]
    public void NameIsRecognisedWithoutRegardToCase(string name, string known) =>
        Assert.Equal(known, KnownFields.Identify(Encoding.ASCII.GetBytes(name)).ToString());
}
