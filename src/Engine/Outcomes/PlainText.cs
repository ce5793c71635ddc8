using System.Buffers;
using System.Globalization;
using System.Text;

namespace McpProxyFast.Outcomes;

/// <summary>Makes text from outside fit to be shown to a person: one line, bounded, and nothing in it that steers a terminal or hides what it says.</summary>
/// <remarks>
/// Line ends and tabs become blanks. Every other control character, ESC first of all, every character that is invisible or turns the direction of reading,
/// lone surrogates and bytes that are not UTF-8 are written as an escape, <c>\u001B</c> or <c>\xFF</c>.
/// </remarks>
internal static class PlainText
{
    /// <summary>Most characters of a text from outside that are shown.</summary>
    public const int MaxLength = 500;

    /// <summary>Most characters of a message that quotes others.</summary>
    public const int MaxMessageLength = 2_000;

    private const string Cut = "...";

    /// <summary>What ends a URL within a sentence.</summary>
    private static readonly SearchValues<char> UrlEnds = SearchValues.Create(" \t\r\n\"'<>,;()");

    /// <summary>The text, fit to be shown.</summary>
    /// <param name="text">From anybody.</param>
    /// <param name="most">Most characters of the text that are kept; what is cut off is marked with three dots.</param>
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

    /// <summary>A message that may quote a server and name URLs, fit to be shown: without the queries of its URLs, if some keep a secret.</summary>
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

    /// <summary>Bytes that a peer sent as text, fit to be shown.</summary>
    /// <param name="bytes">UTF-8, or anything.</param>
    /// <param name="most">Most bytes that are kept.</param>
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

    // Format characters are invisible, or change the direction of reading.
    private static bool IsShown(Rune rune) => Rune.GetUnicodeCategory(rune) is not (
        UnicodeCategory.Control or UnicodeCategory.Format or UnicodeCategory.Surrogate or UnicodeCategory.PrivateUse or UnicodeCategory.OtherNotAssigned
        or UnicodeCategory.LineSeparator or UnicodeCategory.ParagraphSeparator);
}
