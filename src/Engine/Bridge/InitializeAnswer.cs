using System.Buffers;
using System.Text.Json;
using McpProxyFast.Bridge.Messages;

namespace McpProxyFast.Bridge;

/// <summary>What the bridge needs of an answer to <c>initialize</c>.</summary>
/// <param name="Version">The revision agreed on; null if it is not a short text.</param>
/// <param name="ChangingLists">The notifications by which the server says that one of its lists has changed.</param>
internal sealed record InitializeAnswer(string? Version, IReadOnlyList<string> ChangingLists)
{
    /// <summary>Longest revision that is believed: it goes into a header line.</summary>
    private const int MaxVersion = 32;

    private static readonly (string Capability, string Notification)[] Lists =
        [("tools", Methods.ToolsChanged), ("resources", Methods.ResourcesChanged), ("prompts", Methods.PromptsChanged)];

    /// <param name="answer">A response that the scanner has read.</param>
    public static InitializeAnswer Read(in ReadOnlySequence<byte> answer)
    {
        ReadOnlySequence<byte> result = PartialMessage.Member(answer, "result"u8);
        if (result.IsEmpty || result.FirstSpan[0] != (byte)'{')
        {
            return new InitializeAnswer(null, []);
        }

        ReadOnlySequence<byte> capabilities = PartialMessage.Member(result, "capabilities"u8);
        return new InitializeAnswer(
            Text(PartialMessage.Member(result, "protocolVersion"u8)),
            [.. Lists.Where(list => IsTrue(capabilities, list.Capability)).Select(list => list.Notification)]);
    }

    private static bool IsTrue(ReadOnlySequence<byte> capabilities, string capability)
    {
        if (!IsObject(capabilities))
        {
            return false;
        }

        ReadOnlySequence<byte> one = PartialMessage.Member(capabilities, System.Text.Encoding.ASCII.GetBytes(capability));
        return IsObject(one) && PartialMessage.Member(one, "listChanged"u8).ToArray().AsSpan().SequenceEqual("true"u8);
    }

    private static bool IsObject(in ReadOnlySequence<byte> json) => !json.IsEmpty && json.FirstSpan[0] == (byte)'{';

    private static string? Text(in ReadOnlySequence<byte> json)
    {
        if (json.IsEmpty)
        {
            return null;
        }

        var reader = new Utf8JsonReader(json);
        return reader.Read() && JsonSlice.ReadText(ref reader) is { Length: > 0 and <= MaxVersion } text
            && !text.AsSpan().ContainsAnyExceptInRange('!', '~')
                ? text
                : null;
    }
}
