using System.Buffers;
using McpProxyFast.Bridge.Messages;

namespace McpProxyFast.Bridge.Tests.Messages;

public sealed class BatchReaderTests
{
    [Fact]
    public void BatchIsTakenApartHoweverItIsCut()
    {
        Pieces.Everywhere("""[ {"jsonrpc":"2.0","id":1,"method":"a"} ,{"x":[1,2]}, 3]""", batch =>
        {
            List<ReadOnlySequence<byte>> messages = BatchReader.Split(batch, 10)!;

            Assert.Equal(["""{"jsonrpc":"2.0","id":1,"method":"a"}""", """{"x":[1,2]}""", "3"], messages.Select(message => message.Text()));
        });
    }

    [Fact]
    public void BatchIsBounded()
    {
        Assert.Equal(3, BatchReader.Split(Pieces.Of("[1,2,3]"), 3)!.Count);
        Assert.Null(BatchReader.Split(Pieces.Of("[1,2,3]"), 2));
    }
}
