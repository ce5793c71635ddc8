using System.Globalization;
using System.Text;
using System.Text.RegularExpressions;

namespace McpProxyFast.Harness;

/// <summary>Reads what the proxy wrote, by the letter of RFC 9112 and in its plainest form only. Shares nothing with the engine.</summary>
public static partial class StrictReader
{
    /// <summary>Takes one request from the front of the text.</summary>
    /// <param name="text">The bytes.</param>
    /// <param name="length">Characters taken.</param>
    /// <returns>Null where its head is not complete. Where its body is not, it is not whole, and all of the text is taken.</returns>
    /// <exception cref="InvalidDataException">It is not a request in the plain form.</exception>
    public static StrictMessage? TakeRequest(string text, out int length)
    {
        StrictMessage? message = TakeHead(text, RequestHead(), out length);
        if (message is null)
        {
            return null;
        }

        Require(message.All("Host").Length == 1, "one Host", message.Head);
        return HasFraming(message) ? TakeBody(message, text, ref length) : message;
    }

    /// <summary>Takes one response from the front of the text.</summary>
    /// <param name="text">The bytes.</param>
    /// <param name="toHead">It answers a HEAD.</param>
    /// <param name="ended">No more bytes will come: a body may last until here.</param>
    /// <param name="length">Characters taken.</param>
    /// <returns>As of <see cref="TakeRequest"/>.</returns>
    /// <exception cref="InvalidDataException">It is not a response in the plain form.</exception>
    public static StrictMessage? TakeResponse(string text, bool toHead, bool ended, out int length)
    {
        StrictMessage? message = TakeHead(text, ResponseHead(), out length);
        if (message is null || toHead || message.Status is < 200 or 204 or 304)
        {
            return message;
        }

        return HasFraming(message) ? TakeBody(message, text, ref length) : Take(message, text, text.Length - length, isWhole: ended, ref length);
    }

    private static bool HasFraming(StrictMessage message) => message.All("Content-Length").Length + message.All("Transfer-Encoding").Length > 0;

    private static StrictMessage? TakeHead(string text, Regex grammar, out int length)
    {
        int end = text.IndexOf("\r\n\r\n", StringComparison.Ordinal);
        length = end + 4;
        if (end < 0)
        {
            length = 0;
            return null;
        }

        string head = text[..(end + 2)];
        Require(grammar.IsMatch(head), "a plain head", head);
        var message = new StrictMessage(head, "");
        string[] lengths = message.All("Content-Length");
        string[] codings = message.All("Transfer-Encoding");
        Require(lengths.Length + codings.Length <= 1, "one framing field", head);
        Require(codings is [] or ["chunked"], "no coding but chunked", head);
        Require(lengths is [] || Digits().IsMatch(lengths[0]), "a plain Content-Length", head);
        return message;
    }

    private static StrictMessage TakeBody(StrictMessage message, string text, ref int length)
    {
        if (message.Field("Content-Length") is not { } declared)
        {
            return TakeChunks(message, text, ref length);
        }

        long bytes = long.Parse(declared, CultureInfo.InvariantCulture);
        int there = (int)Math.Min(bytes, text.Length - length);
        return Take(message, text, there, isWhole: there == bytes, ref length);
    }

    private static StrictMessage Take(StrictMessage message, string text, int bodyLength, bool isWhole, ref int length)
    {
        string body = text.Substring(length, bodyLength);
        length += bodyLength;
        return message with { Body = body, IsWhole = isWhole };
    }

    private static StrictMessage TakeChunks(StrictMessage message, string text, ref int length)
    {
        var body = new StringBuilder();
        while (true)
        {
            int line = text.IndexOf("\r\n", length, StringComparison.Ordinal);
            if (line < 0)
            {
                Require(StartOfChunkSize().IsMatch(text[length..]), "a plain chunk size", text[length..]);
                length = text.Length;
                return message with { Body = body.ToString(), IsWhole = false };
            }

            string size = text[length..line];
            Require(ChunkSize().IsMatch(size), "a plain chunk size", size);
            long bytes = long.Parse(size, NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture);
            int there = (int)Math.Min(bytes, text.Length - line - 2);
            body.Append(text, line + 2, there);
            length = line + 2 + there;
            string end = text.Substring(length, Math.Min(2, text.Length - length));
            Require("\r\n".StartsWith(end, StringComparison.Ordinal), "CRLF behind a chunk, no trailer section", text[line..]);
            length += end.Length;
            if (end.Length < 2 || bytes == 0)
            {
                return message with { Body = body.ToString(), IsWhole = end.Length == 2 };
            }
        }
    }

    private static void Require(bool holds, string rule, string found)
    {
        if (!holds)
        {
            throw new InvalidDataException($"Expected {rule}, found: {found}");
        }
    }

    [GeneratedRegex(@"\A[!#$%&'*+.^_`|~0-9A-Za-z-]+ (/[!-~]*|\*) HTTP/1\.1\r\n([!#$%&'*+.^_`|~0-9A-Za-z-]+:[\t -~\x80-\xff]*\r\n)*\z")]
    private static partial Regex RequestHead();

    [GeneratedRegex(@"\AHTTP/1\.1 [1-5][0-9][0-9] [\t -~\x80-\xff]*\r\n([!#$%&'*+.^_`|~0-9A-Za-z-]+:[\t -~\x80-\xff]*\r\n)*\z")]
    private static partial Regex ResponseHead();

    [GeneratedRegex(@"\A(0|[1-9][0-9]{0,17})\z")]
    private static partial Regex Digits();

    [GeneratedRegex(@"\A(0|[1-9a-fA-F][0-9a-fA-F]{0,14})\z")]
    private static partial Regex ChunkSize();

    /// <summary>What a chunk size may be as long as its line has not ended: a digit longer than a whole one, which the next byte is to refuse.</summary>
    [GeneratedRegex(@"\A(0?|[1-9a-fA-F][0-9a-fA-F]{0,15})\r?\z")]
    private static partial Regex StartOfChunkSize();
}
