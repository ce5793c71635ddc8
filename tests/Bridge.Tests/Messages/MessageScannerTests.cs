using System.Buffers;
using System.Text;
using McpProxyFast.Bridge.Messages;

namespace McpProxyFast.Bridge.Tests.Messages;

public sealed class MessageScannerTests
{
    private const string Call =
        """
        {"jsonrpc":"2.0","id":7,"method":"tools/call","params":{"_meta":{"progressToken":"p1","traceparent":"00-x","tracestate":"a=b",
        "io.modelcontextprotocol/protocolVersion":"2026-07-28"},"name":"echo","arguments":{"name":"other","method":"none"}}}
        """;

    [Fact]
    public void RequestIsReadHoweverItIsCut()
    {
        Pieces.Everywhere(Call, message =>
        {
            RpcHead head = MessageScanner.Scan(message);

            Assert.Equal(MessageKind.Request, head.Kind);
            Assert.Equal("7", head.Id?.ToString());
            Assert.Same(Methods.CallTool, head.Method);
            Assert.Equal("echo", head.Name);
            Assert.Equal("2026-07-28", head.ProtocolVersion);
            Assert.Equal("\"p1\"", head.ProgressToken?.ToString());
            Assert.Equal("00-x", head.TraceParent);
            Assert.Equal("a=b", head.TraceState);
        });
    }

    [Theory]
    [InlineData("""{"jsonrpc":"2.0","method":"notifications/initialized"}""", nameof(MessageKind.Notification))]
    [InlineData("""{"jsonrpc":"2.0","id":"a","method":"ping"}""", nameof(MessageKind.Request))]
    [InlineData("""{"jsonrpc":"2.0","id":1,"result":{}}""", nameof(MessageKind.Response))]
    [InlineData("""{"jsonrpc":"2.0","id":1,"result":null}""", nameof(MessageKind.Response))]
    [InlineData("""{"jsonrpc":"2.0","id":1,"error":{"code":-32601,"message":"no"}}""", nameof(MessageKind.ErrorResponse))]
    [InlineData("""{"jsonrpc":"2.0","id":null,"error":{"code":-32700,"message":"no"}}""", nameof(MessageKind.ErrorResponse))]
    [InlineData("""{"jsonrpc":"2.0","error":{"code":-32700,"message":"no"}}""", nameof(MessageKind.ErrorResponse))]
    [InlineData("""[{"jsonrpc":"2.0","method":"a"}, 1]""", nameof(MessageKind.Batch))]
    [InlineData(""" {"method":"x/y","jsonrpc":"2.0","params":[1,2],"id":1.5}  """, nameof(MessageKind.Request))]
    public void MessageIsToldByItsMembers(string json, string kind) => AssertEverywhere(json, head => Assert.Equal(kind, head.Kind.ToString()));

    [Theory]
    [InlineData("", nameof(MessageFault.NotJson))]
    [InlineData("  ", nameof(MessageFault.NotJson))]
    [InlineData("{", nameof(MessageFault.NotJson))]
    [InlineData("""{"jsonrpc":"2.0","method":"a"} x""", nameof(MessageFault.NotJson))]
    [InlineData("""{"jsonrpc":"2.0","method":"a"}{}""", nameof(MessageFault.NotJson))]
    [InlineData("""{"jsonrpc":"2.0","method":"a",}""", nameof(MessageFault.NotJson))]
    [InlineData("""{"jsonrpc":"2.0","method":"a"/* */}""", nameof(MessageFault.NotJson))]
    [InlineData("""{"jsonrpc":"2.0","method":"\ud800"}""", nameof(MessageFault.NotJson))]
    [InlineData("1", nameof(MessageFault.NotAnObject))]
    [InlineData("\"x\"", nameof(MessageFault.NotAnObject))]
    [InlineData("[]", nameof(MessageFault.EmptyBatch))]
    [InlineData("[ ]", nameof(MessageFault.EmptyBatch))]
    [InlineData("""{"method":"a"}""", nameof(MessageFault.NotVersion2))]
    [InlineData("""{"jsonrpc":"1.0","method":"a"}""", nameof(MessageFault.NotVersion2))]
    [InlineData("""{"jsonrpc":2.0,"method":"a"}""", nameof(MessageFault.NotVersion2))]
    [InlineData("""{"jsonrpc":"2.0"}""", nameof(MessageFault.NeitherRequestNorResponse))]
    [InlineData("""{"jsonrpc":"2.0","id":1}""", nameof(MessageFault.NeitherRequestNorResponse))]
    [InlineData("""{"jsonrpc":"2.0","id":1,"result":1,"error":{}}""", nameof(MessageFault.NeitherRequestNorResponse))]
    [InlineData("""{"jsonrpc":"2.0","id":1,"method":"a","result":1}""", nameof(MessageFault.NeitherRequestNorResponse))]
    [InlineData("""{"jsonrpc":"2.0","id":null,"method":"a"}""", nameof(MessageFault.BadId))]
    [InlineData("""{"jsonrpc":"2.0","id":true,"method":"a"}""", nameof(MessageFault.BadId))]
    [InlineData("""{"jsonrpc":"2.0","id":{},"method":"a"}""", nameof(MessageFault.BadId))]
    [InlineData("""{"jsonrpc":"2.0","id":1e400,"method":"a"}""", nameof(MessageFault.IdOutOfRange))]
    [InlineData("""{"jsonrpc":"2.0","id":null,"result":1}""", nameof(MessageFault.BadId))]
    [InlineData("""{"jsonrpc":"2.0","result":1}""", nameof(MessageFault.BadId))]
    [InlineData("""{"jsonrpc":"2.0","id":1,"method":""}""", nameof(MessageFault.BadMethod))]
    [InlineData("""{"jsonrpc":"2.0","id":1,"method":3}""", nameof(MessageFault.BadMethod))]
    public void WhatIsNoMessageIsBroken(string json, string fault) => AssertEverywhere(json, head =>
    {
        Assert.Equal(MessageKind.Broken, head.Kind);
        Assert.Equal(fault, head.Fault.ToString());
        Assert.NotEmpty(head.Fault.Sentence());
    });

    [Theory]
    [InlineData(MessageScanner.MaxTextBytes, nameof(MessageFault.None), nameof(MessageFault.IdOutOfRange))]
    [InlineData(MessageScanner.MaxTextBytes + 1, nameof(MessageFault.IdTooLong), nameof(MessageFault.IdTooLong))]
    [InlineData(MessageScanner.MaxTextBytes * 2, nameof(MessageFault.IdTooLong), nameof(MessageFault.IdTooLong))]
    public void IdThatIsTooLongIsToldFromOneOfTheWrongType(int length, string faultOfText, string faultOfNumber)
    {
        string text = $$"""{"jsonrpc":"2.0","id":"{{new string('x', length - 2)}}","method":"a"}""";
        string number = $$"""{"jsonrpc":"2.0","id":{{new string('1', length)}},"method":"a"}""";

        Assert.Equal(faultOfText, MessageScanner.Scan(Pieces.Of(text)).Fault.ToString());
        Assert.Equal(faultOfNumber, MessageScanner.Scan(Pieces.Of(number)).Fault.ToString());
    }

    [Theory]
    [InlineData("""{"jsonrpc":"2.0","id":1,"id":2,"method":"a"}""")]
    [InlineData("""{"jsonrpc":"2.0","method":"a","method":"b"}""")]
    [InlineData("""{"jsonrpc":"2.0","method":"a","m\u0065thod":"b"}""")]
    [InlineData("""{"jsonrpc":"2.0","method":"a","Method":"b"}""")]
    [InlineData("""{"jsonrpc":"2.0","method":"a","ID":3}""")]
    [InlineData("""{"jsonrpc":"2.0","jsonrpc":"2.0","method":"a"}""")]
    [InlineData("""{"jsonrpc":"2.0","method":"a","params":{},"params":{"name":"x"}}""")]
    [InlineData("""{"jsonrpc":"2.0","method":"a","params":{"name":"x","name":"y"}}""")]
    [InlineData("""{"jsonrpc":"2.0","method":"a","params":{"uri":"x","uri":"y"}}""")]
    [InlineData("""{"jsonrpc":"2.0","method":"a","params":{"requestId":1,"requestId":2}}""")]
    [InlineData("""{"jsonrpc":"2.0","method":"a","params":{"_meta":{},"_meta":{}}}""")]
    [InlineData("""{"jsonrpc":"2.0","method":"a","params":{"_meta":{"progressToken":1,"progressToken":2}}}""")]
    [InlineData("""{"jsonrpc":"2.0","method":"a","params":{"_meta":{"traceparent":"1","traceparent":"2"}}}""")]
    [InlineData("""{"jsonrpc":"2.0","id":1,"result":{"resultType":"complete","resultType":"input_required"}}""")]
    [InlineData("""{"jsonrpc":"2.0","id":1,"error":{"code":1,"code":2}}""")]
    [InlineData("""{"jsonrpc":"2.0","id":1,"method":"a","\u0049\u0044":2}""")]
    [InlineData("""{"jsonrpc":"2.0","id":1,"method":"a","\u006a\u0073\u006f\u006e\u0072\u0070\u0043":2}""")]
    [InlineData("""{"jsonrpc":"2.0","id":1,"method":"a","paramſ":{}}""")]
    [InlineData("""{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"a","Name":"b"}}""")]
    [InlineData("""{"jsonrpc":"2.0","id":1,"params":{"\u004eAME":"b","name":"a"},"method":"tools/call"}""")]
    [InlineData("""{"jsonrpc":"2.0","method":"prompts/get","params":{"_Meta":{},"name":"a"}}""")]
    [InlineData("""{"jsonrpc":"2.0","id":1,"method":"resources/read","params":{"uri":"a:b","URI":"c:d"}}""")]
    [InlineData("""{"jsonrpc":"2.0","id":1,"method":"tasks/get","params":{"taskId":"1","tas\u212AId":"2"}}""")]
    public void MemberThatRoutingDependsOnIsThereOnce(string json) =>
        AssertEverywhere(json, head => Assert.Equal(MessageFault.MemberTwice, head.Fault));

    [Theory]
    [InlineData("""{"jsonrpc":"2.0","method":"a","params":{"x":1,"x":2,"Name":"a","name":"b"}}""")]
    [InlineData("""{"jsonrpc":"2.0","method":"a","params":{"arguments":{"name":1,"name":2}}}""")]
    public void OtherMembersAreTheirReadersBusiness(string json) => AssertEverywhere(json, head => Assert.Equal(MessageKind.Notification, head.Kind));

    [Fact]
    public void BytesThatAreNotUtf8AreBroken()
    {
        byte[] json = [.. """{"jsonrpc":"2.0","method":"a","params":{"x":" """u8, 0xC3, 0x28, .. "\"}}"u8];

        for (int cut = 1; cut < json.Length; cut++)
        {
            Assert.Equal(MessageFault.NotUtf8, MessageScanner.Scan(Pieces.Join(json[..cut], json[cut..])).Fault);
        }
    }

    [Fact]
    public void NestingIsBounded()
    {
        Assert.Equal(MessageKind.Notification, MessageScanner.Scan(Nested(MessageScanner.MaxDepth - 2)).Kind);
        Assert.Equal(MessageFault.NotJson, MessageScanner.Scan(Nested(MessageScanner.MaxDepth)).Fault);

        static ReadOnlySequence<byte> Nested(int depth) =>
            Pieces.Of("""{"jsonrpc":"2.0","method":"a","params":{"x":""" + new string('[', depth) + new string(']', depth) + "}}");
    }

    [Theory]
    [InlineData("1", "1.0", true)]
    [InlineData("1", "1e0", true)]
    [InlineData("100", "1e2", true)]
    [InlineData("1", "\"1\"", false)]
    [InlineData("\"a\"", "\"\\u0061\"", true)]
    [InlineData("\"a\"", "\"A\"", false)]
    [InlineData("0", "-0", true)]
    [InlineData("0", "\"\"", false)]
    public void IdsAreComparedByTheirValues(string one, string other, bool areSame)
    {
        MessageId first = Id(one);
        MessageId second = Id(other);

        Assert.Equal(areSame, first == second);
        Assert.Equal(areSame, first.GetHashCode() == second.GetHashCode());
        Assert.Equal(other, second.ToString());

        static MessageId Id(string raw) => MessageScanner.Scan(Pieces.Of($$"""{"jsonrpc":"2.0","id":{{raw}},"method":"a"}""")).Id!.Value;
    }

    [Fact]
    public void OwnIdsAreComparedLikeOthers()
    {
        Assert.Equal(MessageScanner.Scan(Pieces.Of("""{"jsonrpc":"2.0","id":-5,"result":1}""")).Id, MessageId.Of(-5));
        Assert.Equal(MessageScanner.Scan(Pieces.Of("""{"jsonrpc":"2.0","id":"a\"b","result":1}""")).Id, MessageId.Of("a\"b"));
    }

    [Theory]
    [InlineData("resources/read", """{"uri":"file:///a","name":"b"}""", "file:///a")]
    [InlineData("resources/subscribe", """{"name":"b","uri":"file:///a"}""", "file:///a")]
    [InlineData("prompts/get", """{"uri":"file:///a","name":"b"}""", "b")]
    [InlineData("tasks/get", """{"taskId":"t","name":"b"}""", "t")]
    [InlineData("x/y", """{"uri":"u"}""", "u")]
    [InlineData("tools/call", """{"name":3}""", null)]
    [InlineData("tools/call", """{}""", null)]
    public void NameIsWhatTheMethodIsAbout(string method, string parameters, string? name)
    {
        RpcHead head = MessageScanner.Scan(Pieces.Of($$"""{"jsonrpc":"2.0","id":1,"params":{{parameters}},"method":"{{method}}"}"""));

        Assert.Equal(MessageKind.Request, head.Kind);
        Assert.Equal(name, head.Name);
    }

    [Fact]
    public void RevisionOfTheHandshakeIsInItsParams()
    {
        RpcHead head = MessageScanner.Scan(Pieces.Of("""{"jsonrpc":"2.0","id":1,"params":{"protocolVersion":"2025-06-18"},"method":"initialize"}"""));

        Assert.Equal("2025-06-18", head.ProtocolVersion);
    }

    [Fact]
    public void NotificationsSayWhatTheyAreAbout()
    {
        RpcHead cancelled = MessageScanner.Scan(Pieces.Of("""{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":"r"}}"""));
        RpcHead progress = MessageScanner.Scan(Pieces.Of("""{"jsonrpc":"2.0","method":"notifications/progress","params":{"progressToken":3}}"""));
        RpcHead changed = MessageScanner.Scan(Pieces.Of(
            """{"jsonrpc":"2.0","method":"notifications/tools/list_changed","params":{"_meta":{"io.modelcontextprotocol/subscriptionId":9}}}"""));

        Assert.Equal(MessageId.Of("r"), cancelled.CancelledId);
        Assert.Equal(MessageId.Of(3), progress.ProgressToken);
        Assert.Equal(MessageId.Of(9), changed.SubscriptionId);
    }

    [Fact]
    public void AnswersSayOfWhichKindTheyAre()
    {
        RpcHead result = MessageScanner.Scan(Pieces.Of("""{"jsonrpc":"2.0","id":1,"result":{"a":{},"resultType":"input_required"}}"""));
        RpcHead error = MessageScanner.Scan(Pieces.Of("""{"jsonrpc":"2.0","id":1,"error":{"message":"no","code":-32020}}"""));

        Assert.Equal("input_required", result.ResultType);
        Assert.Equal(-32020, error.ErrorCode);
    }

    [Fact]
    public void LargeMessageIsReadWithoutBeingParsedIntoObjects()
    {
        byte[] large = Encoding.UTF8.GetBytes(
            """{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"x","arguments":{"text":" """ + new string('x', 32 << 20) + "\"}}}");
        MessageScanner.Scan(large);

        long before = GC.GetAllocatedBytesForCurrentThread();
        RpcHead head = MessageScanner.Scan(large);

        Assert.Equal("x", head.Name);
        Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, 4096);
    }

    private static void AssertEverywhere(string json, Action<RpcHead> assert) => Pieces.Everywhere(json, message => assert(MessageScanner.Scan(message)));
}
