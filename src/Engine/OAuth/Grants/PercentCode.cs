using System.Globalization;

namespace McpProxyFast.OAuth.Grants;

/// <summary>Percent-encoding (RFC 3986 §2.1), as a server may write it that has encoded a value several times.</summary>
internal static class PercentCode
{
    private const byte Percent = (byte)'%';

    /// <summary>The byte that <c>%41</c> stands for, or <c>%2541</c>, or <c>%252541</c>.</summary>
    /// <param name="text">Begins with it.</param>
    /// <param name="length">How much of the text that is.</param>
    /// <returns>-1 if the text stands for none.</returns>
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
