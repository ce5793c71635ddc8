using System.Globalization;

namespace McpProxyFast.Cli.Flags;

/// <summary>Parses sizes as they are written on the command line: <c>8MiB</c>, <c>512KiB</c>, or a number of bytes.</summary>
internal static class ByteSize
{
    private static readonly (string Suffix, int Shift)[] Units = [("GiB", 30), ("MiB", 20), ("KiB", 10), ("B", 0)];

    /// <summary>Parses a whole number with an optional unit.</summary>
    public static bool TryParse(string text, out long bytes)
    {
        (string suffix, int shift) = Array.Find(Units, unit => text.EndsWith(unit.Suffix, StringComparison.Ordinal));
        ReadOnlySpan<char> number = text.AsSpan(0, text.Length - (suffix?.Length ?? 0));
        bool read = long.TryParse(number, NumberStyles.None, CultureInfo.InvariantCulture, out bytes) && bytes <= long.MaxValue >> shift;
        bytes <<= shift;
        return read;
    }
}
