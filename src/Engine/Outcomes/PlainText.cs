using System.Buffers;
using System.Globalization;
using System.Text;

namespace McpProxyFast.Outcomes;

/// <summary>
/// Makes text from peers safe to show in a log or a terminal: one line of limited length, without characters that control a terminal or hide other characters.
/// </summary>
/// <remarks>
/// Line ends and tabs are replaced by spaces. An escape such as <c>\u001B</c> or <c>\xFF</c> replaces every other control character (above all ESC), every
/// character that is invisible or changes the direction of reading, every lone surrogate, and every byte that is not UTF-8.
/// </remarks>
internal static class PlainText
{
    /// <summary>The maximum number of characters of a peer's text that are shown; a longer text is cut.</summary>
    public const int MaxLength = 500;

    /// <summary>The maximum number of characters of a message that quotes a peer's text; a longer message is cut.</summary>
    public const int MaxMessageLength = 2_000;

    private const string Cut = "...";

    /// <summary>The characters that end a URL within a sentence.</summary>
    private static readonly SearchValues<char> UrlEnds = SearchValues.Create(" \t\r\n\"'<>,;()");

    /// <summary>Makes a text safe to show.</summary>
    /// <param name="text">The text, from any source.</param>
    /// <param name="most">The maximum number of characters of the text that are shown. If the text is longer, three dots follow them.</param>
    public static string Of(string text, int most = MaxLength)
    {
        if (text.Length <= most && text.AsSpan().IndexOfAnyExceptInRange(' ', '~') < 0)
        {
            return text;
        }

        var shown = new StringBuilder(Math.Min(text.Length, most) + Cut.Length);
        ReadOnlySpan<char> rest = text.AsSpan(0, Math.Min(text.Length, most));
        while (!rest.IsEmpty)
        {
            bool isValid = Rune.DecodeFromUtf16(rest, out Rune rune, out int length) is OperationStatus.Done;
            if (isValid)
            {
                Append(shown, rune);
            }
            else
            {
                shown.Append(CultureInfo.InvariantCulture, $"\\u{(int)rest[0]:X4}");
            }

            rest = rest[length..];
        }

        return Finish(shown, text.Length > most);
    }

    /// <summary>
    /// Makes a message safe to show that may quote a server's text and contain URLs. The queries of the URLs are left out, since they may contain secrets.
    /// </summary>
    public static string OfMessage(string message)
    {
        int scheme = message.IndexOf("://", StringComparison.Ordinal);
        if (scheme < 0)
        {
            return Of(message, MaxMessageLength);
        }

        var shown = new StringBuilder(message.Length);
        ReadOnlySpan<char> rest = message;
        for (; scheme >= 0; scheme = rest.IndexOf("://", StringComparison.Ordinal))
        {
            int length = rest[scheme..].IndexOfAny(UrlEnds) is var end and >= 0 ? scheme + end : rest.Length;
            int query = rest[..length].IndexOf('?');
            shown.Append(query < 0 ? rest[..length] : rest[..query]).Append(query < 0 ? "" : "?...");
            rest = rest[length..];
        }

        return Of(shown.Append(rest).ToString(), MaxMessageLength);
    }

    /// <summary>Makes a text safe to show that a peer has sent as bytes.</summary>
    /// <param name="bytes">The bytes. They should be UTF-8, but need not be.</param>
    /// <param name="most">The maximum number of bytes that are shown. If there are more, three dots follow.</param>
    public static string Of(ReadOnlySpan<byte> bytes, int most = MaxLength)
    {
        bool isCut = bytes.Length > most;
        ReadOnlySpan<byte> rest = isCut ? bytes[..most] : bytes;
        var shown = new StringBuilder(rest.Length + Cut.Length);
        while (!rest.IsEmpty)
        {
            bool isValid = Rune.DecodeFromUtf8(rest, out Rune rune, out int length) is OperationStatus.Done;
            if (isValid)
            {
                Append(shown, rune);
            }
            else
            {
                foreach (byte invalid in rest[..length])
                {
                    shown.Append(CultureInfo.InvariantCulture, $"\\x{invalid:X2}");
                }
            }

            rest = rest[length..];
        }

        return Finish(shown, isCut);
    }

    private static string Finish(StringBuilder shown, bool isCut) => isCut ? shown.Append(Cut).ToString() : shown.ToString();

    private static void Append(StringBuilder shown, Rune rune)
    {
        if (rune.Value is '\r' or '\n' or '\t')
        {
            shown.Append(' ');
        }
        else if (IsShown(rune))
        {
            shown.Append(rune.ToString());
        }
        else
        {
            shown.Append(CultureInfo.InvariantCulture, $"\\u{rune.Value:X4}");
        }
    }

    // Whether a character is shown as it is. Format characters, for example, are invisible or change the direction of reading.
    private static bool IsShown(Rune rune) => Rune.GetUnicodeCategory(rune) is not (
        UnicodeCategory.Control or UnicodeCategory.Format or UnicodeCategory.Surrogate or UnicodeCategory.PrivateUse or UnicodeCategory.OtherNotAssigned
        or UnicodeCategory.LineSeparator or UnicodeCategory.ParagraphSeparator);
}
