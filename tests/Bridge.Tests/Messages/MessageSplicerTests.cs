using System.Buffers;
using System.Runtime.InteropServices;
using McpProxyFast.Bridge.Messages;

namespace McpProxyFast.Bridge.Tests.Messages;

public sealed class MessageSplicerTests
{
    private static readonly byte[] Large = [(byte)'"', .. Enumerable.Repeat((byte)'x', MessageSplicer.TakenInBytes), (byte)'"'];

    [Fact]
    public void LargeValueIsTakenInWhereItLies()
    {
        ReadOnlySequence<byte> message = Build();

        Assert.Equal(2, Segments(message).Count(IsLarge));
    }

    [Fact]
    public void MessageIsWhatAWriterOfItsOwnWouldHaveWritten()
    {
        string large = $"\"{new string('x', MessageSplicer.TakenInBytes)}\"";

        Assert.Equal($$$"""{"first":{{{large}}},"small":[0, 1],"in":{"second":{{{large}}}},"last":true}""", Build().Text());
    }

    [Fact]
    public void NothingTakenInIsOnePiece() =>
        Assert.True(MessageSplicer.Build(message =>
        {
            message.Json.WriteStartObject();
            message.Write("a", Pieces.Of("0"));
            message.Json.WriteEndObject();
        }).IsSingleSegment);

    private static ReadOnlySequence<byte> Build() => MessageSplicer.Build(message =>
    {
        message.Json.WriteStartObject();
        message.Write("first", new ReadOnlySequence<byte>(Large));
        message.Write("small", Pieces.Of("[0, 1]"));
        message.Json.WriteStartObject("in"u8);
        message.WriteMembers(
            [
                new JsonSlice("second", new ReadOnlySequence<byte>(Large), System.Text.Json.JsonTokenType.String),
                new JsonSlice("third", Pieces.Of("1"), System.Text.Json.JsonTokenType.Number),
            ],
            name => name is "second");
        message.Json.WriteEndObject();
        message.Json.WriteBoolean("last"u8, true);
        message.Json.WriteEndObject();
    });

    private static bool IsLarge(ReadOnlyMemory<byte> piece) =>
        MemoryMarshal.TryGetArray(piece, out ArraySegment<byte> segment) && ReferenceEquals(segment.Array, Large) && segment.Count == Large.Length;

    private static List<ReadOnlyMemory<byte>> Segments(ReadOnlySequence<byte> message)
    {
        List<ReadOnlyMemory<byte>> pieces = [];
        foreach (ReadOnlyMemory<byte> piece in message)
        {
            pieces.Add(piece);
        }

        return pieces;
    }
}
