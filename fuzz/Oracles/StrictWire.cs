using System.Globalization;
using System.Text;
using System.Text.RegularExpressions;
using static McpProxyFast.Fuzz.PropertyBrokenException;

namespace McpProxyFast.Fuzz.Oracles;

/// <summary>Reads what leaves the proxy, and takes nothing but the plain form. Shares nothing with the engine.</summary>
internal static partial class StrictWire
{
    /// <summary>Reads the requests that reached one upstream connection.</summary>
    public static List<WireMessage> ReadRequests(byte[] bytes)
    {
        var requests = new List<WireMessage>();
        int at = 0;
        while (TakeHead(bytes, ref at) is { } head)
        {
            Require(RequestLine().IsMatch(head[0]), $"A request line leaves in its plain form: '{head[0]}'.");
            Require(Values(head, "host").Count == 1, "A request leaves with exactly one Host.");
            requests.Add(TakeBody(bytes, ref at, head, isBodyless: Framing(head) is null, endsOrderly: false));
        }

        return requests;
    }

    /// <summary>Reads the responses that reached the client.</summary>
    /// <param name="bytes">All that came.</param>
    /// <param name="methods">The methods of the whole requests, in order.</param>
    /// <param name="mayAnswerHead">A request beyond those may have been a HEAD: an answer to it that makes no sense with a body is taken for one without.</param>
    /// <param name="endsOrderly">The connection ended as after a whole message.</param>
    public static List<WireMessage> ReadResponses(byte[] bytes, ReadOnlySpan<string> methods, bool mayAnswerHead, bool endsOrderly)
    {
        int at = 0;
        if (TakeHead(bytes, ref at) is not { } head)
        {
            return [];
        }

        Require(StatusLine().IsMatch(head[0]), $"A status line leaves in its plain form: '{head[0]}'.");
        bool isInterim = head[0][9] == '1';
        bool isBodyless = isInterim || head[0][9..12] is "204" or "304" || methods is ["HEAD", ..];
        ReadOnlySpan<string> others = isInterim || methods.IsEmpty ? methods : methods[1..];
        try
        {
            WireMessage first = TakeBody(bytes, ref at, head, isBodyless, endsOrderly);
            return [first, .. ReadResponses(bytes[at..], others, mayAnswerHead, endsOrderly)];
        }
        catch (PropertyBrokenException) when (mayAnswerHead && methods.IsEmpty && !isBodyless)
        {
            // It may have been the answer to a HEAD; then it is the last.
            return [new WireMessage(head[0], [], IsWhole: true)];
        }
    }

    private static string[]? TakeHead(byte[] bytes, ref int at)
    {
        int length = bytes.AsSpan(at).IndexOf("\r\n\r\n"u8);
        if (length < 0)
        {
            return null;
        }

        string[] lines = Encoding.Latin1.GetString(bytes, at, length).Split("\r\n");
        foreach (string line in lines.Skip(1))
        {
            Require(FieldLine().IsMatch(line), $"A field line leaves in its plain form: '{line}'.");
        }

        at += length + 4;
        return lines;
    }

    /// <summary>The one framing field's value: null for none.</summary>
    private static string? Framing(string[] head)
    {
        List<string> lengths = Values(head, "content-length");
        List<string> codings = Values(head, "transfer-encoding");
        Require(lengths.Count + codings.Count <= 1, "A message leaves with one framing field at most.");
        Require(codings.TrueForAll(coding => coding == "chunked"), "The only coding that leaves is chunked.");
        Require(lengths.TrueForAll(length => Decimal().IsMatch(length)), "A length leaves as a plain number.");
        return codings.Count > 0 ? "chunked" : lengths.FirstOrDefault();
    }

    private static WireMessage TakeBody(byte[] bytes, ref int at, string[] head, bool isBodyless, bool endsOrderly)
    {
        string? framing = Framing(head);
        if (isBodyless)
        {
            return new WireMessage(head[0], [], IsWhole: true);
        }

        if (framing == "chunked")
        {
            return TakeChunks(bytes, ref at, head[0]);
        }

        long length = framing is null ? long.MaxValue : long.Parse(framing, CultureInfo.InvariantCulture);
        int taken = (int)Math.Min(length, bytes.Length - at);
        var message = new WireMessage(head[0], bytes[at..(at + taken)], framing is null ? endsOrderly : taken == length);
        at += taken;
        return message;
    }

    private static WireMessage TakeChunks(byte[] bytes, ref int at, string startLine)
    {
        var data = new List<byte>();
        while (true)
        {
            Match line = ChunkLine().Match(Encoding.Latin1.GetString(bytes, at, Math.Min(12, bytes.Length - at)));
            if (!line.Success)
            {
                string rest = Encoding.Latin1.GetString(bytes, at, bytes.Length - at);
                Require(CutChunkLine().IsMatch(rest), "A chunk line leaves in its plain form.");
                at = bytes.Length;
                return new WireMessage(startLine, [.. data], IsWhole: false);
            }

            at += line.Length;
            if (line.Value == "0\r\n\r\n")
            {
                return new WireMessage(startLine, [.. data], IsWhole: true);
            }

            int size = int.Parse(line.Groups[1].Value, NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture);
            int taken = Math.Min(size, bytes.Length - at);
            data.AddRange(bytes.AsSpan(at, taken));
            at += taken;
            int end = Math.Min(2, bytes.Length - at);
            Require("\r\n"u8.StartsWith(bytes.AsSpan(at, end)), "A chunk's data leaves with CRLF behind it.");
            at += end;
        }
    }

    private static List<string> Values(string[] head, string lowerName) =>
        [.. head.Skip(1).Where(line => line.StartsWith(lowerName + ":", StringComparison.OrdinalIgnoreCase)).Select(line => line[(lowerName.Length + 1)..].Trim(' ', '\t'))];

    [GeneratedRegex(@"^[!#$%&'*+\-.^_`|~0-9A-Za-z]+ [\x21-\x7E]+ HTTP/1\.1\z")]
    private static partial Regex RequestLine();

    [GeneratedRegex(@"^HTTP/1\.1 [1-5][0-9][0-9] [\t\x20-\x7E\x80-\xFF]*\z")]
    private static partial Regex StatusLine();

    [GeneratedRegex(@"^[!#$%&'*+\-.^_`|~0-9A-Za-z]+:[\t\x20-\x7E\x80-\xFF]*\z")]
    private static partial Regex FieldLine();

    [GeneratedRegex(@"^[0-9]+\z")]
    private static partial Regex Decimal();

    [GeneratedRegex(@"^(?:0\r\n\r\n|([1-9A-Fa-f][0-9A-Fa-f]{0,7})\r\n)")]
    private static partial Regex ChunkLine();

    [GeneratedRegex(@"^(?:|0(?:\r(?:\n\r?)?)?|[1-9A-Fa-f][0-9A-Fa-f]{0,15}\r?)\z")]
    private static partial Regex CutChunkLine();
}
