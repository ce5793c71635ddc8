using McpProxyFast.Bridge.Eras;

namespace McpProxyFast.Bridge.Tests.Eras;

public sealed class HeaderTextTests
{
    /// <summary>The examples of the specification, and what else a field cannot carry.</summary>
    [Theory]
    [InlineData("us-west1", "us-west1")]
    [InlineData("a b", "a b")]
    [InlineData("Hello, 世界", "=?base64?SGVsbG8sIOS4lueVjA==?=")]
    [InlineData(" padded ", "=?base64?IHBhZGRlZCA=?=")]
    [InlineData("line1\nline2", "=?base64?bGluZTEKbGluZTI=?=")]
    [InlineData("=?base64?literal?=", "=?base64?PT9iYXNlNjQ/bGl0ZXJhbD89?=")]
    [InlineData("=?base64?literal", "=?base64?literal")]
    [InlineData("", "=?base64??=")]
    [InlineData("a\tb", "=?base64?YQli?=")]
    [InlineData("a\u007f", "=?base64?YX8=?=")]
    [InlineData("a\r\nX-Evil: 1", "=?base64?YQ0KWC1FdmlsOiAx?=")]
    public void TextIsEncodedWhereAFieldCannotCarryIt(string text, string value) => Assert.Equal(value, HeaderText.Encode(text));
}
