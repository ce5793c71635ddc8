using System.Text;

namespace McpProxyFast.EndToEnd.Wire;

/// <summary>The small POST of the benchmark: a tool call and its 200-byte answer, which repeats the call's id.</summary>
internal static class SmallPost
{
    public const int IdLength = 10;
    public const int AnswerLength = 200;

    private const string AnswerStart = "{\"jsonrpc\":\"2.0\",\"id\":\"";
    private const string AnswerMiddle = "\",\"result\":{\"content\":[{\"type\":\"text\",\"text\":\"";
    private const string AnswerEnd = "\"}],\"isError\":false}}";

    private static readonly string NoId = new('0', IdLength);

    public static string Call { get; } =
        "{\"jsonrpc\":\"2.0\",\"id\":\"" + NoId + "\",\"method\":\"tools/call\",\"params\":{\"name\":\"echo\",\"arguments\":{\"text\":\"hello\"}}}";

    public static int AnswerIdOffset => AnswerStart.Length;

    /// <summary>A fresh copy of the answer, its id still to be written at <see cref="AnswerIdOffset"/>.</summary>
    public static byte[] NewAnswer()
    {
        int padding = AnswerLength - AnswerStart.Length - IdLength - AnswerMiddle.Length - AnswerEnd.Length;
        return Encoding.ASCII.GetBytes(AnswerStart + NoId + AnswerMiddle + new string('x', padding) + AnswerEnd);
    }

    /// <summary>The id within a call, or empty when there is none.</summary>
    public static ReadOnlySpan<byte> IdOf(ReadOnlySpan<byte> call)
    {
        ReadOnlySpan<byte> key = "\"id\":\""u8;
        int start = call.IndexOf(key);
        return start < 0 || call.Length < start + key.Length + IdLength ? default : call.Slice(start + key.Length, IdLength);
    }
}
