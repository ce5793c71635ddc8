using System.Text;

namespace McpProxyFast.EndToEnd.Wire;

/// <summary>Heads as an MCP client in a desktop program and an MCP server on Node.js with Express send them.</summary>
internal static class RealHeads
{
    /// <summary>The length of the access token, which is that of an identity provider with a dozen claims and an RSA signature.</summary>
    public const int TokenLength = 900;

    public const string SessionId = "7f1c4d1e-9a55-4a39-8c0f-2f6de1c9a001";

    /// <summary>Stands in the target of a request whose answer is to have such a head.</summary>
    public const string Query = "heads=real";

    /// <summary>A token that nobody checks, of the form and length of a JWT.</summary>
    public static string Token { get; } = NewToken();

    /// <summary>The field lines between <c>Host</c> and those of the body.</summary>
    public static string RequestFields { get; } =
        "Connection: keep-alive\r\n"
        + $"Authorization: Bearer {Token}\r\n"
        + "Accept: application/json, text/event-stream\r\n"
        + "Accept-Language: *\r\n"
        + "Accept-Encoding: gzip, deflate, br\r\n"
        + "Sec-Fetch-Mode: cors\r\n"
        + "User-Agent: mcp-client/1.4.0 (desktop; node/22.11.0)\r\n"
        + $"Mcp-Session-Id: {SessionId}\r\n"
        + "MCP-Protocol-Version: 2026-07-28\r\n"
        + "Mcp-Method: tools/call\r\n"
        + "Mcp-Name: echo\r\n"
        + "traceparent: 00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01\r\n"
        + "tracestate: vendor=t61rcWkgMzE,other=00f067aa0ba902b7\r\n";

    /// <summary>The field lines of an answer but for its length.</summary>
    public static string AnswerFields { get; } =
        "X-Powered-By: Express\r\n"
        + "Vary: Origin\r\n"
        + "Access-Control-Expose-Headers: Mcp-Session-Id\r\n"
        + "Cache-Control: no-cache, no-transform\r\n"
        + $"Mcp-Session-Id: {SessionId}\r\n"
        + "Date: Thu, 26 Nov 2026 12:00:00 GMT\r\n"
        + "Connection: keep-alive\r\n"
        + "Keep-Alive: timeout=5\r\n";

    // Characters of base64url without a pattern that a compressor or a branch predictor could learn; the same in every process.
    private static string NewToken()
    {
        const string alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
        const int headEnd = 90;
        const int signatureStart = TokenLength - 343;
        var token = new StringBuilder("eyJ", TokenLength);
        for (uint state = 1; token.Length < TokenLength;)
        {
            state = (state * 1_664_525) + 1_013_904_223;
            token.Append(token.Length is headEnd or signatureStart ? '.' : alphabet[(int)(state >> 26)]);
        }

        return token.ToString();
    }
}
