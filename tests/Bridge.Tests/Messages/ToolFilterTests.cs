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

    [Fact]
    public void ToolWhoseNameIsTooLongToBeComparedIsCutOut()
    {
        string list = $$$"""{"jsonrpc":"2.0","id":1,"result":{"tools":[{"name":"{{{new string('x', MessageScanner.MaxTextBytes + 1)}}}"},{"name":"b"}]}}""";

        Assert.Equal("""{"jsonrpc":"2.0","id":1,"result":{"tools":[{"name":"b"}]}}""", new ToolFilter(["a"]).Apply(Pieces.Of(list)).Text());
        Assert.Equal(list, new ToolFilter([]).Apply(Pieces.Of(list)).Text());
    }

    [Theory]
    [InlineData("""{"result":{"tools":[{"name":"a\ud800"}]}}""", """{"result":{"tools":[]}}""")]
    [InlineData("""{"result":{"tools":[{"name":"b","name":"a"}]}}""", """{"result":{"tools":[]}}""")]
    [InlineData("""{"result":{"tools":[],"tools":[{"name":"a"}]}}""", """{"result":{"tools":[],"tools":[]}}""")]
    [InlineData("""{"result":{"tools":[{"name":"\u0061"}],"tools":[{"name":"b"}]}}""", """{"result":{"tools":[],"tools":[{"name":"b"}]}}""")]
    public void ToolThatReadersSeeDifferentlyIsCutOut(string list, string left) => Assert.Equal(left, new ToolFilter(["a"]).Apply(Pieces.Of(list)).Text());

    [Fact]
    public void ToolsOfANotificationAreCutOut() => Assert.Equal(
        """{"method":"x","params":{"tools":[{"name":"b"}]}}""",
        new ToolFilter(["a"]).ApplyToNotification(Pieces.Of("""{"method":"x","params":{"tools":[{"name":"a"},{"name":"b"}]}}""")).Text());

    [Theory]
    [InlineData(true, "*")]
    [InlineData(true, "a")]
    [InlineData(false)]
    public void NameThatCannotBeComparedIsIgnoredWhereAnyToolIs(bool isIgnored, params string[] globs) =>
        Assert.Equal(isIgnored, new ToolFilter(globs).Ignores(null));

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
