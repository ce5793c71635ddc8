using System.Buffers;
using System.Diagnostics;
using System.Text;

namespace McpProxyFast.Bridge.Eras;

/// <summary>Encodes strings from messages as HTTP header values, as revision 2026-07-28 says (Streamable HTTP, "Value Encoding").</summary>
internal static class HeaderText
{
    private const string Prefix = "=?base64?";
    private const string Suffix = "?=";

    /// <summary>The characters that a header value may have: visible ASCII and spaces. Tabs are legal too, but some proxies change them.</summary>
    private static readonly SearchValues<char> Allowed = SearchValues.Create([.. Enumerable.Range(' ', '~' - ' ' + 1).Select(code => (char)code)]);

    /// <summary>Whether a string can be a header value as it is, without an encoding.</summary>
    public static bool IsPlain(string text) =>
        text.Length > 0
        && text[0] != ' '
        && text[^1] != ' '
        && !text.AsSpan().ContainsAnyExcept(Allowed);

    /// <summary>Returns the string as a header value; in Base64 if it cannot be one as it is.</summary>
    public static string Encode(string text)
    {
        bool looksEncoded = text.StartsWith(Prefix, StringComparison.Ordinal) && text.EndsWith(Suffix, StringComparison.Ordinal);
        if (IsPlain(text) && !looksEncoded)
        {
            return text;
        }

        string encoded = Prefix + Convert.ToBase64String(Encoding.UTF8.GetBytes(text)) + Suffix;
        Debug.Assert(IsPlain(encoded), "Base64 is plain.");
        return encoded;
    }
}
