using System.Text;

namespace McpProxyFast.EndToEnd.Wire;

/// <summary>The messages of the bridge's benchmark, as a client and a server exchange them.</summary>
/// <remarks>A bridge may write JSON anew, so what is looked for in a message is a member and not a place.</remarks>
internal static class McpMessages
{
    public const string Revision = "2025-11-25";

    /// <summary>The tool that answers with JSON.</summary>
    public const string Echo = "echo";

    /// <summary>The tool whose answer is a stream of one event.</summary>
    public const string EchoAsStream = "echo_stream";

    /// <summary>The tool that sets how many notifications the server sends a second.</summary>
    public const string Notify = "notify";

    private const int NumberLength = 10;
    private const string NotificationStart = "{\"jsonrpc\":\"2.0\",\"method\":\"notifications/message\",\"params\":{\"level\":\"info\",\"logger\":\"bench\",\"data\":\"";
    private const string NotificationEnd = "\"}}";

    private static readonly string NoNumber = new('0', NumberLength);
    private static readonly string NoTime = new('0', EventText.SentAtLength);

    public static ReadOnlyMemory<byte> Initialize { get; } = Encoding.ASCII.GetBytes(
        "{\"jsonrpc\":\"2.0\",\"id\":\"initialize\",\"method\":\"initialize\",\"params\":{\"protocolVersion\":\"" + Revision
        + "\",\"capabilities\":{},\"clientInfo\":{\"name\":\"bench\",\"version\":\"1\"}}}");

    public static ReadOnlyMemory<byte> Initialized { get; } = Encoding.ASCII.GetBytes("{\"jsonrpc\":\"2.0\",\"method\":\"notifications/initialized\"}");

    /// <summary>What the server says of itself; stands after its <c>"result":</c>.</summary>
    public static string ServerInfo { get; } =
        "{\"protocolVersion\":\"" + Revision + "\",\"capabilities\":{\"tools\":{},\"logging\":{}},\"serverInfo\":{\"name\":\"bench\",\"version\":\"1\"}}";

    /// <summary>The result of a call, with which an answer has some 200 bytes; stands after its <c>"result":</c>.</summary>
    public static string CallResult { get; } = "{\"content\":[{\"type\":\"text\",\"text\":\"" + Text + "\"}],\"isError\":false}";

    /// <summary>What every answer to a call contains.</summary>
    public static ReadOnlySpan<byte> TextOfAnswers => "\"xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx\""u8;

    private static string Text => Encoding.ASCII.GetString(TextOfAnswers).Trim('"');

    /// <summary>A fresh call of a tool, its number still to be set by <see cref="Number"/>.</summary>
    public static byte[] NewCall(string tool, string arguments) => Encoding.ASCII.GetBytes(
        "{\"jsonrpc\":\"2.0\",\"id\":\"" + NoNumber + "\",\"method\":\"tools/call\",\"params\":{\"name\":\"" + tool + "\",\"arguments\":" + arguments + "}}");

    /// <summary>Makes a number a call's id.</summary>
    public static void Number(Span<byte> call, long number) => Digits.Write(call.Slice(IndexAfter(call, "\"id\":\""u8), NumberLength), number);

    /// <summary>The number of the call that a message answers; -1 where it answers none.</summary>
    public static long NumberOf(ReadOnlySpan<byte> answer)
    {
        int at = IndexAfter(answer, "\"id\":\""u8);
        return at >= 0 && answer.Length >= at + NumberLength && char.IsAsciiDigit((char)answer[at]) ? Digits.Read(answer.Slice(at, NumberLength)) : -1;
    }

    /// <summary>A fresh notification of the server.</summary>
    public static byte[] NewNotification() => Encoding.ASCII.GetBytes(NotificationStart + NoNumber + " " + NoTime + NotificationEnd);

    /// <summary>Sets which one it is and when it is sent.</summary>
    public static void Mark(Span<byte> notification, long number, long sentAt)
    {
        Span<byte> data = notification[NotificationStart.Length..];
        Digits.Write(data[..NumberLength], number);
        Digits.Write(data.Slice(NumberLength + 1, EventText.SentAtLength), sentAt);
    }

    /// <summary>Whether it is such a notification, and then which and when it was sent.</summary>
    public static bool IsNotification(ReadOnlySpan<byte> message, out long number, out long sentAt)
    {
        (number, sentAt) = (0, 0);
        int at = IndexAfter(message, "\"data\":\""u8);
        if (at < 0 || message.Length < at + NumberLength + 1 + EventText.SentAtLength)
        {
            return false;
        }

        number = Digits.Read(message.Slice(at, NumberLength));
        sentAt = Digits.Read(message.Slice(at + NumberLength + 1, EventText.SentAtLength));
        return true;
    }

    /// <summary>The raw value of a member, up to the next comma or brace; empty where there is none.</summary>
    public static ReadOnlySpan<byte> Find(ReadOnlySpan<byte> message, ReadOnlySpan<byte> member)
    {
        int start = IndexAfter(message, member);
        int length = start < 0 ? -1 : message[start..].IndexOfAny((byte)',', (byte)'}');
        return length < 0 ? default : message.Slice(start, length);
    }

    private static int IndexAfter(ReadOnlySpan<byte> message, ReadOnlySpan<byte> part)
    {
        int at = message.IndexOf(part);
        return at < 0 ? -1 : at + part.Length;
    }
}
