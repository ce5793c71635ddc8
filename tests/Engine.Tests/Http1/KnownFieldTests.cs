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
    [InlineData("X_Forwarded_For_A_Name_That_Is_Very_Long", nameof(KnownField.Lookalike))]
    [InlineData("X-Real-IP", nameof(KnownField.ClientAddress))]
    [InlineData("X-Client-IP", nameof(KnownField.ClientAddress))]
    [InlineData("True-Client-IP", nameof(KnownField.ClientAddress))]
    [InlineData("X_Real_IP", nameof(KnownField.Lookalike))]
    [InlineData("Proxy", nameof(KnownField.ProxyVariable))]
    [InlineData("Content-Type", nameof(KnownField.ContentType))]
    [InlineData("content-encoding", nameof(KnownField.ContentEncoding))]
    [InlineData("McpProxyFast-Hop", nameof(KnownField.ProxyHop))]
    [InlineData("Access-Control-Request-Headers", nameof(KnownField.AccessControlRequestHeaders))]
    [InlineData("X_Own_Name_That_Is_Longer_Than_Any_Known", nameof(KnownField.None))]
    [InlineData("X_Own", nameof(KnownField.None))]
    [InlineData("Mcp-Session-Id", nameof(KnownField.None))]
    [InlineData("Hosts", nameof(KnownField.None))]
    [InlineData("Proxy-", nameof(KnownField.None))]
    public void NameIsRecognisedWithoutRegardToCase(string name, string known) =>
        Assert.Equal(known, KnownFields.Identify(Encoding.ASCII.GetBytes(name)).ToString());
}
