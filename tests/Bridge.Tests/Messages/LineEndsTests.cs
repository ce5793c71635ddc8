using System.Text;
using McpProxyFast.Bridge.Messages;

namespace McpProxyFast.Bridge.Tests.Messages;

public sealed class LineEndsTests
{
    [Theory]
    [InlineData("{\r\n  \"a\": 1,\n  \"b\": [\n]\n}\n", "{  \"a\": 1,  \"b\": []}")]
    [InlineData("{\"a\":\"x\\ny\"}", "{\"a\":\"x\\ny\"}")]
    [InlineData("{\"a\\\"\":\n\"\\\\\"\n,\"c\":\"\\\\\\\"\n\"}", "{\"a\\\"\":\"\\\\\",\"c\":\"\\\\\\\"\n\"}")]
    [InlineData("{}", "{}")]
    [InlineData("\n\r\n", "")]
    [InlineData("", "")]
    public void LineEndsOutsideOfStringsAreDroppedHoweverTheBodyIsCut(string body, string left)
    {
        Assert.Equal(left, Drop(body, body.Length));
        for (int cut = 0; cut < body.Length; cut++)
        {
            Assert.Equal(left, Drop(body, cut));
        }

        Assert.Equal(left, DropByteByByte(body));
    }

    private static string Drop(string body, int cut)
    {
        byte[] first = Encoding.UTF8.GetBytes(body[..cut]);
        byte[] second = Encoding.UTF8.GetBytes(body[cut..]);
        var ends = new LineEnds();
        int kept = ends.Drop(first);
        return Encoding.UTF8.GetString(first.AsSpan(0, kept)) + Encoding.UTF8.GetString(second.AsSpan(0, ends.Drop(second)));
    }

    private static string DropByteByByte(string body)
    {
        var ends = new LineEnds();
        var left = new StringBuilder();
        foreach (byte value in Encoding.UTF8.GetBytes(body))
        {
            byte[] single = [value];
            left.Append(Encoding.UTF8.GetString(single, 0, ends.Drop(single)));
        }

        return left.ToString();
    }
}
