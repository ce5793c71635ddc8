using System.Text;

namespace McpProxyFast.Fuzz.Oracles;

/// <summary>What has left the proxy: nothing but the plain form is right.</summary>
internal static class ReceivedMessages
{
    /// <summary>Reads the requests that reached one upstream connection.</summary>
    /// <exception cref="InvalidDataException">One is not in the plain form.</exception>
    public static List<WireMessage> ReadRequests(byte[] bytes)
    {
        var requests = new List<WireMessage>();
        string text = Encoding.Latin1.GetString(bytes);
        while (StrictReader.TakeRequest(text, out int length) is { } request)
        {
            requests.Add(WireMessage.Of(request));
            text = text[length..];
        }

        return requests;
    }

    /// <summary>Reads the responses that reached the client.</summary>
    /// <param name="bytes">All that came.</param>
    /// <param name="methods">The methods of the whole requests, in order.</param>
    /// <param name="mayAnswerHead">
    /// A request beyond those may have been a HEAD: an answer to it that makes no sense with a body is taken for one without.
    /// </param>
    /// <param name="endsOrderly">The connection ended as after a whole message.</param>
    /// <exception cref="InvalidDataException">One is not in the plain form.</exception>
    public static List<WireMessage> ReadResponses(byte[] bytes, ReadOnlySpan<string> methods, bool mayAnswerHead, bool endsOrderly) =>
        Read(Encoding.Latin1.GetString(bytes), methods, mayAnswerHead, endsOrderly);

    /// <summary>Reads chunks in the plain form, which are all of the input.</summary>
    /// <returns>The data; null where they are not whole.</returns>
    /// <exception cref="InvalidDataException">They are not in the plain form.</exception>
    public static byte[]? ReadChunks(byte[] bytes)
    {
        string text = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + Encoding.Latin1.GetString(bytes);
        StrictMessage message = StrictReader.TakeResponse(text, toHead: false, ended: true, out int length)!;
        return message.IsWhole && length == text.Length ? Encoding.Latin1.GetBytes(message.Body) : null;
    }

    private static List<WireMessage> Read(string text, ReadOnlySpan<string> methods, bool mayAnswerHead, bool endsOrderly)
    {
        if (StrictReader.TakeResponse(text, toHead: true, endsOrderly, out _) is not { } head)
        {
            return [];
        }

        bool toHead = methods is ["HEAD", ..];
        bool isInterim = head.Status < 200;
        bool isBodyless = toHead || isInterim || head.Status is 204 or 304;
        try
        {
            StrictMessage first = StrictReader.TakeResponse(text, toHead, endsOrderly, out int length)!;
            return [WireMessage.Of(first), .. Read(text[length..], isInterim || methods.IsEmpty ? methods : methods[1..], mayAnswerHead, endsOrderly)];
        }
        catch (InvalidDataException) when (mayAnswerHead && methods.IsEmpty && !isBodyless)
        {
            return [WireMessage.Of(head)]; // it may have been the answer to a HEAD; then it is the last
        }
    }
}
