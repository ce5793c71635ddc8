using System.Text;
using McpProxyFast.Outcomes;
using Xunit;

namespace McpProxyFast.Engine.Tests.Outcomes;

public sealed class PlainTextTests
{
    [Theory]
    [InlineData("plain text, 'quoted'", "plain text, 'quoted'")]
    [InlineData("Grüße, 世界 🙂", "Grüße, 世界 🙂")]
    [InlineData("two\r\nlines\tand a tab", "two  lines and a tab")]
    [InlineData("\u001b[31mred\u001b[0m", @"\u001B[31mred\u001B[0m")]
    [InlineData("\u009b31mC1", @"\u009B31mC1")]
    [InlineData("\0\u007f", @"\u0000\u007F")]
    [InlineData("a\u202Etxt.exe", @"a\u202Etxt.exe")]
    [InlineData("\u2066isolate\u2069", @"\u2066isolate\u2069")]
    [InlineData("zero\u200Bwidth\uFEFF", @"zero\u200Bwidth\uFEFF")]
    [InlineData("line\u2028separator", @"line\u2028separator")]
    public void NothingThatSteersATerminalIsShown(string text, string shown) => Assert.Equal(shown, PlainText.Of(text));

    [Fact]
    public void LoneSurrogateIsShownAsSuch() => Assert.Equal(@"lone \uD800 surrogate", PlainText.Of("lone \ud800 surrogate")); // no attribute can hold it

    [Fact]
    public void BytesThatAreNotUtf8AreShownAsSuch() =>
        Assert.Equal(@"caf\xC3 \xFF\xFE é", PlainText.Of([.. "caf"u8, 0xC3, .. " "u8, 0xFF, 0xFE, .. " é"u8]));

    [Fact]
    public void BytesAndTextAreShownAlike()
    {
        const string Text = "a\u001bb\u202Ec é 🙂";

        Assert.Equal(PlainText.Of(Text), PlainText.Of(Encoding.UTF8.GetBytes(Text)));
    }

    [Theory]
    [InlineData("https://a.example/token?key=secret refused: no", "https://a.example/token?... refused: no")]
    [InlineData("Tried: GET https://a.example/x?k=1; GET https://b.example/y: 404.", "Tried: GET https://a.example/x?...; GET https://b.example/y: 404.")]
    [InlineData("'https://a.example/?k=1', is that right?", "'https://a.example/?...', is that right?")]
    [InlineData("is that right? yes", "is that right? yes")]
    public void MessageLosesTheQueriesOfItsUrls(string message, string shown) => Assert.Equal(shown, PlainText.OfMessage(message));

    [Fact]
    public void LongTextIsCut()
    {
        Assert.Equal("abc...", PlainText.Of("abcdef", 3));
        Assert.Equal("abc...", PlainText.Of("abcdef"u8, 3));
        Assert.Equal("abc", PlainText.Of("abc"u8, 3));
    }
}
