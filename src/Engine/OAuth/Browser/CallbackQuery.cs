using System.Net;

namespace McpProxyFast.OAuth.Browser;

/// <summary>The parameters of the redirect that ends a sign-in in the browser (RFC 6749 §4.1.2, RFC 9207 §2).</summary>
internal sealed record CallbackQuery(string? State, string? Code, string? Issuer, string? Error, string? ErrorDescription)
{
    /// <returns>The parameters if the request is a GET of the callback path; null for any other request.</returns>
    public static CallbackQuery? Parse(string? requestLine, string path)
    {
        if (requestLine?.Split(' ') is not ["GET", string target, _])
        {
            return null;
        }

        int mark = target.IndexOf('?', StringComparison.Ordinal);
        if (mark < 0 || target[..mark] != path)
        {
            return null;
        }

        ILookup<string, string> values = target[(mark + 1)..].Split('&')
            .Select(pair => pair.Split('=', 2))
            .ToLookup(pair => WebUtility.UrlDecode(pair[0]), pair => pair.Length == 2 ? WebUtility.UrlDecode(pair[1]) : "");
        return new CallbackQuery(Only("state"), Only("code"), Only("iss"), Only("error"), Only("error_description"));

        // RFC 6749 §3.1: a parameter must not occur twice. If it does, it counts as missing.
        string? Only(string name) => values[name].Take(2).ToArray() is [string single] ? single : null;
    }

    public override string ToString() => $"CallbackQuery {{ {(Error is null ? "answer" : "error")} }}";
}
