using System.Globalization;
using System.IO.Pipelines;
using System.Buffers;
using System.Text;

namespace McpProxyFast.Serving;

/// <summary>A response made by the proxy itself: status, extra field lines, body.</summary>
/// <param name="Status">The status code.</param>
/// <param name="ContentType">The body's media type.</param>
/// <param name="Body">The body. For a HEAD request only its length is sent.</param>
/// <param name="Lines">Additional field lines, complete with line ends.</param>
internal sealed record OwnReply(int Status, string ContentType, byte[] Body, string Lines = "")
{
    public const string Json = "application/json";
    public const string Text = "text/plain; charset=utf-8";

    /// <summary>The same response with additional field lines.</summary>
    public OwnReply WithLines(ReadOnlySpan<byte> lines) => this with { Lines = Lines + Encoding.ASCII.GetString(lines) };

    /// <summary>Writes the response, without flushing.</summary>
    /// <param name="output">The client's writer.</param>
    /// <param name="isHead">The request was a HEAD.</param>
    /// <param name="keepsAlive">The connection stays open.</param>
    /// <param name="isHttp10">The client speaks HTTP/1.0.</param>
    public void Write(PipeWriter output, bool isHead, bool keepsAlive, bool isHttp10)
    {
        string connection = !keepsAlive ? "Connection: close\r\n" : isHttp10 ? "Connection: keep-alive\r\n" : "";
        string type = Body.Length > 0 ? $"Content-Type: {ContentType}\r\n" : "";
        string length = Status == 204 ? "" : string.Create(CultureInfo.InvariantCulture, $"Content-Length: {Body.Length}\r\n");
        string head = string.Create(CultureInfo.InvariantCulture, $"HTTP/1.1 {Status} {Phrase(Status)}\r\n{type}{length}{Lines}{connection}\r\n");
        output.Write(Encoding.Latin1.GetBytes(head));
        if (!isHead)
        {
            output.Write(Body);
        }
    }

    private static string Phrase(int status) => status switch
    {
        200 => "OK",
        204 => "No Content",
        400 => "Bad Request",
        401 => "Unauthorized",
        403 => "Forbidden",
        404 => "Not Found",
        405 => "Method Not Allowed",
        408 => "Request Timeout",
        413 => "Content Too Large",
        414 => "URI Too Long",
        417 => "Expectation Failed",
        431 => "Request Header Fields Too Large",
        501 => "Not Implemented",
        502 => "Bad Gateway",
        503 => "Service Unavailable",
        504 => "Gateway Timeout",
        505 => "HTTP Version Not Supported",
        508 => "Loop Detected",
        _ => "",
    };
}
