using McpProxyFast.Bridge.Eras;

namespace McpProxyFast.Bridge.Tests.Eras;

public sealed class ToolListTests
{
    [Theory]
    [InlineData("""{"properties":{"a":{"type":"string","x-mcp-header":""}}}""")]
    [InlineData("""{"properties":{"a":{"type":"string","x-mcp-header":"a b"}}}""")]
    [InlineData("""{"properties":{"a":{"type":"string","x-mcp-header":"a\r\nb"}}}""")]
    [InlineData("""{"properties":{"a":{"type":"string","x-mcp-header":"é"}}}""")]
    [InlineData("""{"properties":{"a":{"type":"string","x-mcp-header":3}}}""")]
    [InlineData("""{"properties":{"a":{"type":"number","x-mcp-header":"A"}}}""")]
    [InlineData("""{"properties":{"a":{"type":["string","number"],"x-mcp-header":"A"}}}""")]
    [InlineData("""{"properties":{"a":{"type":"object","x-mcp-header":"A"}}}""")]
    [InlineData("""{"properties":{"a":{"x-mcp-header":"A"}}}""")]
    [InlineData("""{"properties":{"a":{"type":"string","x-mcp-header":"A"},"b":{"type":"string","x-mcp-header":"a"}}}""")]
    [InlineData("""{"properties":{"a":{"type":"array","items":{"type":"string","x-mcp-header":"A"}}}}""")]
    [InlineData("""{"oneOf":[{"properties":{"a":{"type":"string","x-mcp-header":"A"}}}]}""")]
    [InlineData("""{"$defs":{"a":{"type":"string","x-mcp-header":"A"}}}""")]
    [InlineData("""{"type":"string","x-mcp-header":"A"}""")]
    public void ToolWithABadAnnotationIsRejected(string schema)
    {
        var tools = new ToolList();

        RejectedTool rejected = Assert.Single(tools.Learn(List(schema)));

        Assert.Equal("t", rejected.Tool);
        Assert.Null(tools.Find("t"));
    }

    [Theory]
    [InlineData("""{"properties":{"x-mcp-header":{"type":"string"}}}""")]
    [InlineData("""{"properties":{"a":{"type":"array","items":{"properties":{"x-mcp-header":{"type":"string"}}}}}}""")]
    [InlineData("""{"properties":{"a":{"enum":[{"x-mcp-header":"A"}]}}}""")]
    [InlineData("""{"properties":{"a":true}}""")]
    [InlineData("{}")]
    public void ToolWithoutAnnotationsIsNotKept(string schema)
    {
        var tools = new ToolList();

        Assert.Empty(tools.Learn(List(schema)));
        Assert.Null(tools.Find("t"));
    }

    [Fact]
    public void ToolIsKnownAsItWasSeenLast()
    {
        var tools = new ToolList();
        tools.Learn(List("""{"properties":{"a":{"type":"string","x-mcp-header":"A"}}}"""));
        Assert.Equal("A", tools.Find("t")!.Properties["a"].Header);

        tools.Learn(List("""{"properties":{"a":{"type":"string","x-mcp-header":"B"}}}"""));
        Assert.Equal("B", tools.Find("t")!.Properties["a"].Header);

        tools.Learn(List("""{"properties":{"a":{"type":"string"}}}"""));
        Assert.Null(tools.Find("t"));
    }

    [Theory]
    [InlineData("""{"jsonrpc":"2.0","id":1,"error":{"code":1}}""")]
    [InlineData("""{"jsonrpc":"2.0","id":1,"result":[]}""")]
    [InlineData("""{"jsonrpc":"2.0","id":1,"result":{"tools":3}}""")]
    [InlineData("""{"jsonrpc":"2.0","id":1,"result":{"tools":[3,{},{"name":3},{"name":"t","inputSchema":3}]}}""")]
    public void AnswerThatIsNoListTeachesNothing(string answer) => Assert.Empty(new ToolList().Learn(Pieces.Of(answer)));

    private static System.Buffers.ReadOnlySequence<byte> List(string schema) =>
        Pieces.Of("""{"jsonrpc":"2.0","id":1,"result":{"tools":[{"inputSchema":""" + schema + ",\"name\":\"t\"}]}}");
}
