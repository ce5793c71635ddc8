using System.Buffers;
using McpProxyFast.Bridge.Eras;
using McpProxyFast.Bridge.Messages;

namespace McpProxyFast.Bridge.Tests.Eras;

public sealed class ModernHeadersTests
{
    private const string Parent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";

    private const string Tools =
        """
        {"jsonrpc":"2.0","id":1,"result":{"tools":[{"name":"query","inputSchema":{"type":"object","properties":{
        "region":{"type":"string","x-mcp-header":"Region"},
        "limit":{"x-mcp-header":"Limit","type":["integer","null"]},
        "dry":{"type":"boolean","x-mcp-header":"Dry"},
        "where":{"type":"object","properties":{"tenant":{"type":"string","x-mcp-header":"Tenant"}}},
        "sql":{"type":"string","default":{"x-mcp-header":"no"}}}}}]}}
        """;

    private readonly ToolList _tools = new();

    [Theory]
    [InlineData("tools/list", "{}", "2026-07-28 tools/list")]
    [InlineData("server/discover", "{}", "2026-07-28 server/discover")]
    [InlineData("tools/call", """{"name":"echo"}""", "2026-07-28 tools/call echo")]
    [InlineData("prompts/get", """{"name":"größe"}""", "2026-07-28 prompts/get =?base64?Z3LDtsOfZQ==?=")]
    [InlineData("resources/read", """{"uri":"file:///a b","name":"x"}""", "2026-07-28 resources/read file:///a b")]
    [InlineData("tasks/get", """{"taskId":"t1"}""", "2026-07-28 tasks/get t1")]
    [InlineData("completion/complete", """{"name":"x"}""", "2026-07-28 completion/complete")]
    public void MethodAndNameAreMirrored(string method, string parameters, string fields) =>
        Assert.Equal(fields, string.Join(' ', Fields(method, parameters).Fields.Select(field => field.Value)));

    [Fact]
    public void RevisionIsTheMessagesOwn()
    {
        HeaderFields fields = Fields("tools/list", """{"_meta":{"io.modelcontextprotocol/protocolVersion":"2027-01-01"}}""");

        Assert.Equal(new HeaderField("MCP-Protocol-Version", "2027-01-01"), fields.Fields[0]);
    }

    [Theory]
    [InlineData("tools/call", "{}")]
    [InlineData("tools/call", """{"name":7}""")]
    [InlineData("x\u00e9", "{}")]
    [InlineData("tools/list", """{"_meta":{"io.modelcontextprotocol/protocolVersion":"1\r\nX: y"}}""")]
    public void WhatNoFieldCanSayIsAFault(string method, string parameters)
    {
        HeaderFields fields = Fields(method, parameters);

        Assert.Empty(fields.Fields);
        Assert.NotNull(fields.Fault);
    }

    [Theory]
    [InlineData("""{"region":"us","limit":5,"dry":true,"where":{"tenant":"t"},"sql":"s"}""", "Region=us Limit=5 Dry=true Tenant=t")]
    [InlineData("""{"region":null,"limit":5.0,"dry":false,"where":{}}""", "Limit=5 Dry=false")]
    [InlineData("""{"limit":1e3}""", "Limit=1000")]
    [InlineData("""{"limit":1.5,"region":[1],"where":"t"}""", "")]
    [InlineData("""{"limit":9007199254740992}""", "")]
    [InlineData("""{"limit":-9007199254740991}""", "Limit=-9007199254740991")]
    [InlineData("""{"other":{"region":"us"},"where":{"region":"us"}}""", "")]
    [InlineData("""{"region":"é"}""", "Region==?base64?w6k=?=")]
    [InlineData("""{"r\u0065gion":"x"}""", "Region=x")]
    public void AnnotatedArgumentsAreMirrored(string arguments, string expected)
    {
        _tools.Learn(Pieces.Of(Tools));

        Pieces.Everywhere(Call(arguments), call =>
        {
            HeaderFields fields = ModernHeaders.For(MessageScanner.Scan(call), call, _tools);

            Assert.Null(fields.Fault);
            Assert.Equal(expected, string.Join(' ', fields.Fields.Skip(3).Select(field => $"{field.Name["Mcp-Param-".Length..]}={field.Value}")));
        });
    }

    [Theory]
    [InlineData("""{"region":"us","region":"eu"}""")]
    [InlineData("""{"where":{"tenant":"a"},"where":{"tenant":"b"}}""")]
    [InlineData("""{"region":"\ud800"}""")]
    public void ArgumentThatTwoReadersWouldTakeDifferentlyIsAFault(string arguments)
    {
        _tools.Learn(Pieces.Of(Tools));
        ReadOnlySequence<byte> call = Pieces.Of(Call(arguments));

        Assert.NotNull(ModernHeaders.For(MessageScanner.Scan(call), call, _tools).Fault);
    }

    [Fact]
    public void ArgumentThatIsTooLongForAHeadIsAFault()
    {
        _tools.Learn(Pieces.Of(Tools));
        ReadOnlySequence<byte> call = Pieces.Of(Call($$"""{"region":"{{new string('x', ArgumentReader.MaxBytes)}}"}"""));

        Assert.NotNull(ModernHeaders.For(MessageScanner.Scan(call), call, _tools).Fault);
    }

    [Theory]
    [InlineData(Parent, "a=b", "traceparent tracestate")]
    [InlineData(Parent, "a\\nb", "traceparent")]
    [InlineData("01-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01-more", "", "traceparent")]
    [InlineData("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01-more", "a=b", "")]
    [InlineData("00-00000000000000000000000000000000-b7ad6b7169203331-01", "a=b", "")]
    [InlineData("00-0af7651916cd43dd8448eb211c80319c-0000000000000000-01", "a=b", "")]
    [InlineData("ff-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01", "a=b", "")]
    [InlineData("00-0AF7651916CD43DD8448EB211C80319C-b7ad6b7169203331-01", "a=b", "")]
    [InlineData("x", "a=b", "")]
    public void TraceContextBecomesFieldsWhereItIsOne(string parent, string state, string names)
    {
        HeaderFields fields = Fields("tools/list", $$"""{"_meta":{"traceparent":"{{parent}}","tracestate":"{{state}}"} }""");

        Assert.Equal(names, string.Join(' ', fields.Fields.Skip(2).Select(field => field.Name)));
    }

    private static string Call(string arguments) =>
        """{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"query","arguments":""" + arguments + "}}";

    private HeaderFields Fields(string method, string parameters)
    {
        ReadOnlySequence<byte> message = Pieces.Of("""{"jsonrpc":"2.0","id":1,"method":" """.TrimEnd() + method + "\",\"params\":" + parameters + "}");
        return ModernHeaders.For(MessageScanner.Scan(message), message, _tools);
    }
}
