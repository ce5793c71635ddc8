using System.Globalization;
using System.Text.RegularExpressions;

namespace McpProxyFast.Wire.Tests.Support;

/// <summary>Reads what the engine wrote, by the letter of RFC 9112 and in its plainest form only. Shares nothing with the engine.</summary>
internal static partial class StrictParser
{
    /// <summary>Takes one request from the front of the text.</summary>
    /// <returns>Null where it is not complete.</returns>
    /// <exception cref="InvalidDataException">It is not a request in the plain form.</exception>
    public static StrictMessage? TakeRequest(string text, out int length)
    {
        StrictMessage? message = TakeHead(text, RequestHead(), out length);
        if (message is null)
        {
            return null;
        }

        Require(message.All("Host").Length == 1, "one Host", message.Head);
        return TakeBody(message, text, hasBody: HasFraming(message), untilEnd: false, ref length);
    }

    /// <summary>Takes one response from the front of the text.</summary>
    /// <param name="text">The bytes.</param>
    /// <param name="toHead">It answers a HEAD.</param>
    /// <param name="ended">No more bytes will come: a body may last until here.</param>
    /// <param name="length">Characters taken.</param>
    public static StrictMessage? TakeResponse(string text, bool toHead, bool ended, out int length)
    {
        StrictMessage? message = TakeHead(text, ResponseHead(), out length);
        if (message is null)
        {
            return null;
        }

        bool hasBody = !toHead && message.Status is not (< 200 or 204 or 304);
        bool untilEnd = hasBody && !HasFraming(message);
        return untilEnd && !ended ? null : TakeBody(message, text, hasBody, untilEnd, ref length);
    }

    private static bool HasFraming(StrictMessage message) => message.All("Content-Length").Length + message.All("Transfer-Encoding").Length > 0;

    private static StrictMessage? TakeHead(string text, Regex grammar, out int length)
    {
        int end = text.IndexOf("\r\n\r\n", StringComparison.Ordinal);
        length = end + 4;
        if (end < 0)
        {
            return null;
        }

        string head = text[..(end + 2)];
        Require(grammar.IsMatch(head), "a plain head", head);
        var message = new StrictMessage(head, "");
        int lengths = message.All("Content-Length").Length;
        string[] codings = message.All("Transfer-Encoding");
        Require(lengths + codings.Length <= 1, "one framing field", head);
        Require(codings is [] or ["chunked"], "no coding but chunked", head);
        return message;
    }

    private static StrictMessage? TakeBody(StrictMessage message, string text, bool hasBody, bool untilEnd, ref int length)
    {
        if (!hasBody)
        {
            return message;
        }

        if (untilEnd)
        {
            string rest = text[length..];
            length = text.Length;
            return message with { Body = rest };
        }

        if (message.Field("Content-Length") is not { } declared)
        {
            return TakeChunks(message, text, ref length);
        }

        Require(Digits().IsMatch(declared), "a plain Content-Length", message.Head);
        int start = length;
        length += int.Parse(declared, CultureInfo.InvariantCulture);
        return length > text.Length ? null : message with { Body = text[start..length] };
    }

    private static StrictMessage? TakeChunks(StrictMessage message, string text, ref int length)
    {
        var body = new System.Text.StringBuilder();
        while (true)
        {
            int line = text.IndexOf("\r\n", length, StringComparison.Ordinal);
            if (line < 0)
            {
                return null;
            }

            string size = text[length..line];
            Require(size == "0" || ChunkSize().IsMatch(size), "a plain chunk size", size);
            int bytes = int.Parse(size, NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture);
            int end = line + 2 + bytes + 2;
            if (end > text.Length)
            {
                return null;
            }

            Require(text[(end - 2)..end] == "\r\n", "CRLF behind a chunk, no trailer section", text[line..]);
            body.Append(text, line + 2, bytes);
            length = end;
            if (bytes == 0)
            {
                return message with { Body = body.ToString() };
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

    [GeneratedRegex(@"\A(0|[1-9][0-9]*)\z")]
    private static partial Regex Digits();

    [GeneratedRegex(@"\A[1-9a-fA-F][0-9a-fA-F]*\z")]
    private static partial Regex ChunkSize();
}
