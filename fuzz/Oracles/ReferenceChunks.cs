using System.Globalization;

namespace McpProxyFast.Fuzz.Oracles;

/// <summary>Decodes a chunked body the plain way, RFC 9112 §7.1.3: all of it at hand, one line after the other. Shares nothing with the engine.</summary>
internal static class ReferenceChunks
{
    /// <summary>Decodes the body at the start of the input; null where it is not whole or not well formed.</summary>
    /// <param name="input">The body and whatever follows it.</param>
    /// <param name="plainOnly">Only the plain form is right: no extension, no leading zero, no trailer.</param>
    public static (byte[] Data, int Length)? Decode(ReadOnlySpan<byte> input, bool plainOnly)
    {
        var data = new List<byte>();
        int at = 0;
        while (TakeLine(input, ref at) is { } line)
        {
            int semicolon = line.IndexOf(';', StringComparison.Ordinal);
            string digits = semicolon < 0 ? line : line[..semicolon];
            bool plain = semicolon < 0 && digits.Length > 0 && (digits[0] != '0' || digits == "0");
            if ((plainOnly && !plain) || !TryReadSize(digits, out long size))
            {
                return null;
            }

            if (size == 0)
            {
                return SkipTrailers(input, ref at, plainOnly) ? (data.ToArray(), at) : null;
            }

            if (size > input.Length - at - 2 || input[at + (int)size] != '\r' || input[at + (int)size + 1] != '\n')
            {
                return null;
            }

            data.AddRange(input.Slice(at, (int)size));
            at += (int)size + 2;
        }

        return null;
    }

    private static bool TryReadSize(string digits, out long size)
    {
        size = 0;
        return digits.Length is > 0 and <= 16
            && digits.All(char.IsAsciiHexDigit)
            && long.TryParse(digits, NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out size)
            && size >= 0;
    }

    private static bool SkipTrailers(ReadOnlySpan<byte> input, ref int at, bool plainOnly)
    {
        while (TakeLine(input, ref at) is { } line)
        {
            if (line.Length == 0)
            {
                return true;
            }

            if (plainOnly || line.IndexOf(':', StringComparison.Ordinal) <= 0)
            {
                return false;
            }
        }

        return false;
    }

    private static string? TakeLine(ReadOnlySpan<byte> input, ref int at)
    {
        int length = input[at..].IndexOf("\r\n"u8);
        if (length < 0)
        {
            return null;
        }

        string line = System.Text.Encoding.Latin1.GetString(input.Slice(at, length));
        at += length + 2;
        return line;
    }
}
