using System.Globalization;
using System.Text;

namespace McpProxyFast.Fuzz.Oracles;

/// <summary>Reads what a script sends to the proxy, as far as it makes sense: which messages are whole, and what their bodies are.</summary>
internal static class LenientWire
{
    /// <summary>The whole requests of a client, in order, up to the first that makes no sense.</summary>
    public static List<WireMessage> ReadRequests(byte[] bytes)
    {
        var requests = new List<WireMessage>();
        int at = 0;
        while (TakeMessage(bytes, ref at, static _ => false, lastsUntilClose: false) is { } request)
        {
            requests.Add(request);
        }

        return requests;
    }

    /// <summary>The whole final responses of an upstream, in order, up to the first that makes no sense.</summary>
    /// <param name="bytes">All that it sent.</param>
    /// <param name="methods">The methods of the requests that it had received, in order.</param>
    /// <param name="closesOrderly">The end of its bytes is an end of a message too.</param>
    public static List<WireMessage> ReadResponses(byte[] bytes, IReadOnlyList<string> methods, bool closesOrderly)
    {
        var responses = new List<WireMessage>();
        int at = 0;
        int answered = 0;
        while (TakeMessage(bytes, ref at, line => IsBodyless(line, answered < methods.Count ? methods[answered] : ""), closesOrderly) is { } response)
        {
            bool isInterim = response.StartLine.Length > 9 && response.StartLine[9] == '1';
            answered += isInterim ? 0 : 1;
            responses.AddRange(isInterim ? [] : [response]);
        }

        return responses;
    }

    private static bool IsBodyless(string statusLine, string method) =>
        method == "HEAD" || (statusLine.Length >= 12 && (statusLine[9] == '1' || statusLine[9..12] is "204" or "304"));

    private static WireMessage? TakeMessage(byte[] bytes, ref int at, Func<string, bool> isBodyless, bool lastsUntilClose)
    {
        while (bytes.AsSpan(at).StartsWith("\r\n"u8))
        {
            at += 2;
        }

        int length = bytes.AsSpan(at).IndexOf("\r\n\r\n"u8);
        string[] lines = length < 0 ? [] : Encoding.Latin1.GetString(bytes, at, length).Split("\r\n");
        if (length < 0 || lines[0].Length < 12 || lines.Skip(1).Any(line => !line.Contains(':', StringComparison.Ordinal)))
        {
            return null;
        }

        at += length + 4;
        byte[]? body = isBodyless(lines[0]) ? [] : TakeBody(bytes, ref at, lines, lastsUntilClose);
        return body is null ? null : new WireMessage(lines[0], body, IsWhole: true);
    }

    private static byte[]? TakeBody(byte[] bytes, ref int at, string[] lines, bool lastsUntilClose)
    {
        string? length = ValueOf(lines, "content-length");
        if (ValueOf(lines, "transfer-encoding") is not null)
        {
            (byte[] Data, int Length)? chunks = ReferenceChunks.Decode(bytes.AsSpan(at), plainOnly: false);
            at += chunks?.Length ?? 0;
            return chunks?.Data;
        }

        bool isRequest = !lines[0].StartsWith("HTTP/", StringComparison.Ordinal);
        if (length is null && !isRequest && !lastsUntilClose)
        {
            return null;
        }

        long declared = length is null ? (isRequest ? 0 : bytes.Length - at) : long.TryParse(length, NumberStyles.None, CultureInfo.InvariantCulture, out long number) ? number : -1;
        if (declared < 0 || declared > bytes.Length - at)
        {
            return null;
        }

        at += (int)declared;
        return bytes[(at - (int)declared)..at];
    }

    private static string? ValueOf(string[] lines, string lowerName) =>
        lines.Skip(1).FirstOrDefault(line => line.StartsWith(lowerName + ":", StringComparison.OrdinalIgnoreCase))?[(lowerName.Length + 1)..].Trim(' ', '\t');
}
