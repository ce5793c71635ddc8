using System.Buffers;

namespace McpProxyFast.Bridge.Tests.Conversation;

public sealed class SseOpeningTests
{
    [Theory]
    [InlineData("/messages?session=1", "/messages?session=1")]
    [InlineData("http://mcp.example//other.example/messages", "//other.example/messages")]
    [InlineData("http://mcp.example//\"messages", "//%22messages")]
    public void MessagesArePostedToThePathThatTheServerNames(string endpoint, string path)
    {
        SseOpening? opening = SseOpening.At(new ReadOnlySequence<byte>(System.Text.Encoding.UTF8.GetBytes(endpoint)), new Uri("http://mcp.example/sse"));

        Assert.Equal(path, opening?.Endpoint?.PathAndQuery);
        Assert.Equal(ProxyLink.Target.Authority, opening?.Endpoint?.Authority);
    }
}
