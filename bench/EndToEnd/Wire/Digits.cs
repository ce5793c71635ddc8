namespace McpProxyFast.EndToEnd.Wire;

/// <summary>Numbers of a fixed width, so that a message can be made ready once and patched for each use.</summary>
internal static class Digits
{
    public static void Write(Span<byte> target, long value)
    {
        for (int i = target.Length - 1; i >= 0; i--)
        {
            target[i] = (byte)('0' + (value % 10));
            value /= 10;
        }
    }

    public static long Read(ReadOnlySpan<byte> source)
    {
        long value = 0;
        foreach (byte digit in source)
        {
            value = char.IsAsciiDigit((char)digit) ? (value * 10) + digit - '0' : throw new InvalidDataException("A number was expected.");
        }

        return value;
    }
}
