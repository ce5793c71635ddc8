using McpProxyFast.Bridge.Messages;

namespace McpProxyFast.Bridge.Tests.Messages;

public sealed class ToolFilterTests
{
    [Theory]
    [InlineData("a", """{ "tools": [ {"name":"b"} , {"name":"c"} ] , "x":1}""")]
    [InlineData("b", """{ "tools": [ {"name":"a"} , {"name":"c"} ] , "x":1}""")]
    [InlineData("c", """{ "tools": [ {"name":"a"} , {"name":"b"} ] , "x":1}""")]
    [InlineData("a,b", """{ "tools": [ {"name":"c"} ] , "x":1}""")]
    [InlineData("a,c", """{ "tools": [ {"name":"b"} ] , "x":1}""")]
    [InlineData("b,c", """{ "tools": [ {"name":"a"} ] , "x":1}""")]
    [InlineData("*", """{ "tools": [  ] , "x":1}""")]
    [InlineData("d", """{ "tools": [ {"name":"a"} , {"name":"b"} , {"name":"c"} ] , "x":1}""")]
    public void ToolsAreCutOutAndAllElseStays(string globs, string left)
    {
        const string List = """{"id":1,"result":{ "tools": [ {"name":"a"} , {"name":"b"} , {"name":"c"} ] , "x":1},"jsonrpc":"2.0"}""";
        Pieces.Everywhere(
            List, answer => Assert.Equal($$"""{"id":1,"result":{{left}},"jsonrpc":"2.0"}""", new ToolFilter(globs.Split(',')).Apply(answer).Text()));
    }

    [Theory]
    [InlineData("""{"jsonrpc":"2.0","id":1,"result":{}}""")]
    [InlineData("""{"jsonrpc":"2.0","id":1,"result":3}""")]
    [InlineData("""{"jsonrpc":"2.0","id":1,"result":{"tools":{"name":"a"}}}""")]
    [InlineData("""{"jsonrpc":"2.0","id":1,"result":{"tools":[]}}""")]
    [InlineData("""{"jsonrpc":"2.0","id":1,"result":{"tools":[1,{"title":"a"},{"name":2}]}}""")]
    [InlineData("""{"jsonrpc":"2.0","id":1,"error":{"tools":[{"name":"a"}]}}""")]
    public void WhatHasNoSuchToolStays(string answer) => Assert.Equal(answer, new ToolFilter(["*"]).Apply(Pieces.Of(answer)).Text());

    [Theory]
    [InlineData("delete_*", "delete_all", true)]
    [InlineData("delete_*", "delete", false)]
    [InlineData("*_all", "delete_all", true)]
    [InlineData("*l*_*l", "delete_all", true)]
    [InlineData("d?lete_all", "delete_all", true)]
    [InlineData("?delete_all", "delete_all", false)]
    [InlineData("Delete_all", "delete_all", false)]
    [InlineData("delete", "delete_all", false)]
    [InlineData("", "delete_all", false)]
    public void GlobsAreMatched(string glob, string tool, bool isIgnored) => Assert.Equal(isIgnored, new ToolFilter([glob]).Ignores(tool));
}
