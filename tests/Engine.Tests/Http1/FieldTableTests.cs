using McpProxyFast.Engine.Tests.Support;
using McpProxyFast.Http1;

namespace McpProxyFast.Engine.Tests.Http1;

public sealed class FieldTableTests
{
    [Fact]
    public void OnlyLineOfANameIsFoundByItsIndex()
    {
        FieldTable fields = Heads.Request("GET / HTTP/1.1\r\nX: a\r\nHost: h\r\nOrigin: o\r\n\r\n").Fields;

        Assert.Equal((Occurrence.Once, 1), (fields.Single(KnownField.Host, out int host), host));
        Assert.Equal((Occurrence.Once, 2), (fields.Single(KnownField.Origin, out int origin), origin));
    }

    [Fact]
    public void NameThatIsMissingOrRepeatedHasNoIndex()
    {
        FieldTable fields = Heads.Request("GET / HTTP/1.1\r\nOrigin: a\r\nHost: h\r\nOrigin: a\r\n\r\n").Fields;

        Assert.Equal((Occurrence.Repeated, -1), (fields.Single(KnownField.Origin, out int origin), origin));
        Assert.Equal((Occurrence.Never, -1), (fields.Single(KnownField.Authorization, out int authorization), authorization));
    }
}
