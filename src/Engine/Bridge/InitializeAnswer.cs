using System.Buffers;
using System.Text.Json;
using McpProxyFast.Bridge.Messages;

namespace McpProxyFast.Bridge;

/// <summary>What the bridge needs to know from the result of an <c>initialize</c>.</summary>
/// <param name="Version">The protocol revision in the result; null if it is missing, or not visible ASCII of at most 32 characters.</param>
/// <param name="ChangingLists">The methods of the <c>list_changed</c> notifications that the server declares (capability <c>listChanged</c>).</param>
internal sealed record InitializeAnswer(string? Version, IReadOnlyList<string> ChangingLists)
{
    /// <summary>The maximum length of a revision's name, in characters. A longer one is ignored, since it would be sent in a header.</summary>
    private const int MaxVersion = 32;

    private static readonly (string Capability, string Notification)[] Lists =
        [("tools", Methods.ToolsChanged), ("resources", Methods.ResourcesChanged), ("prompts", Methods.PromptsChanged)];

    /// <param name="answer">A response that <see cref="MessageScanner"/> has accepted.</param>
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
