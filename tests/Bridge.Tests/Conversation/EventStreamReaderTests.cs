using System.Text;

namespace McpProxyFast.Bridge.Tests.Conversation;

public sealed class EventStreamReaderTests
{
    [Theory]
    [InlineData("\uFEFFdata: a\n\ndata: b\n\n", "a,b")]
    [InlineData("\uFEFF: a comment\ndata: a\n\n", "a")]
    [InlineData("data: a\n\uFEFFdata: b\n\n", "a")]
    [InlineData("data: a\n\n\uFEFFdata: b\n\n", "a")]
    [InlineData(": a comment\n\uFEFFdata: b\n\n", "")]
    public async Task ByteOrderMarkIsSkippedAtTheStartOfTheStreamOnly(string stream, string data) => Assert.Equal(data, string.Join(',', await DataOfAsync(stream)));

    private static async Task<List<string>> DataOfAsync(string stream)
    {
        using var body = new MemoryStream(Encoding.UTF8.GetBytes(stream));
        using var events = new EventStreamReader(body, new MemoryBudget());
        List<string> all = [];
        while (await events.ReadAsync(default) is { } next)
        {
            using MessageBuffer data = next.Data;
            all.Add(string.Concat(System.Buffers.BuffersExtensions.ToArray(data.Bytes).Select(each => (char)each)));
        }

        return all;
    }
}
