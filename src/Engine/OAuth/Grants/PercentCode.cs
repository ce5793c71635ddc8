using System.Globalization;

namespace McpProxyFast.OAuth.Grants;

/// <summary>Decodes percent-encoding (RFC 3986 §2.1) of a server that may have encoded a value several times.</summary>
internal static class PercentCode
{
    private const byte Percent = (byte)'%';

    /// <summary>Decodes the byte at the start of a text. For example, <c>%41</c>, <c>%2541</c> and <c>%252541</c> all stand for <c>A</c>.</summary>
    /// <param name="text">The text.</param>
    /// <param name="length">The number of bytes of the text that stand for the decoded byte. Valid if the result is not -1.</param>
    /// <returns>The decoded byte; -1 if the text does not start with a percent-encoded byte.</returns>
    public static int Decode(ReadOnlySpan<byte> text, out int length)
    {
        length = 0;
        if (text.IsEmpty || text[0] != Percent)
        {
            return -1;
        }

        int digits = 1;
        while (text[digits..].StartsWith("25"u8) && text.Length >= digits + 4 && IsByte(text.Slice(digits + 2, 2), out _))
        {
            digits += 2;
        }

        length = digits + 2;
        return text.Length >= length && IsByte(text.Slice(digits, 2), out byte value) ? value : -1;
    }

    private static bool IsByte(ReadOnlySpan<byte> digits, out byte value) =>
        byte.TryParse(digits, NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out value);
}
