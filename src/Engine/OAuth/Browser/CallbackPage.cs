using System.Text;

namespace McpProxyFast.OAuth.Browser;

/// <summary>The pages that the browser shows after it has been redirected back to the proxy.</summary>
internal static class CallbackPage
{
    public static readonly byte[] NotFound = Make("404 Not Found", "Nothing here", "This port waits for one sign-in and serves nothing else.");

    public static readonly byte[] Stranger = Make(
        "400 Bad Request", "Not this sign-in", "The proxy waits for another sign-in. Open the address that it printed last.");

    private static readonly byte[] Done = Make("200 OK", "Back again", "The proxy has received the answer and continues. You can close this window.");

    private static readonly byte[] Failed = Make("400 Bad Request", "Sign-in refused",
        "The authorization server refused the sign-in. The proxy's log says why.");

    public static byte[] For(CallbackQuery query) => query.Error is null ? Done : Failed;

    // The page contains nothing from the request, so nothing in it needs to be escaped. Its policy lets it load no script, style or image.
    private static byte[] Make(string status, string title, string text)
    {
        string html = $"<!doctype html><html lang=\"en\"><meta charset=\"utf-8\"><title>{title}</title><h1>{title}</h1><p>{text}</p></html>\n";
        return Encoding.ASCII.GetBytes(
            $"HTTP/1.1 {status}\r\nContent-Type: text/html; charset=utf-8\r\nContent-Length: {html.Length}\r\nConnection: close\r\nCache-Control: no-store\r\n"
            + "Content-Security-Policy: default-src 'none'; frame-ancestors 'none'\r\nX-Content-Type-Options: nosniff\r\nX-Frame-Options: DENY\r\n"
            + $"Referrer-Policy: no-referrer\r\n\r\n{html}");
    }
}
