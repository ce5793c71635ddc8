using System.Buffers;
using System.Globalization;

namespace McpProxyFast.Cli.Flags;

/// <summary>Parses durations as they are written on the command line: <c>500ms</c>, <c>30s</c>, <c>2m30s</c>, <c>1h</c>.</summary>
internal static class Duration
{
    /// <summary>
    /// The longest duration that is accepted; a longer one counts as malformed. No timeout may be as long. The limit also keeps the sum from overflowing.
    /// </summary>
    private static readonly TimeSpan Longest = TimeSpan.FromDays(365);

    private static readonly SearchValues<char> NumberCharacters = SearchValues.Create("0123456789.");

    /// <summary>Parses one or more numbers, each with its unit. A number without a unit is not accepted.</summary>
    public static bool TryParse(string text, out TimeSpan duration)
    {
        duration = TimeSpan.Zero;
        ReadOnlySpan<char> rest = text;
        while (!rest.IsEmpty)
        {
            int digits = rest.IndexOfAnyExcept(NumberCharacters);
            if (digits <= 0 || !double.TryParse(rest[..digits], NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out double number))
            {
                return false;
            }

            rest = rest[digits..];
            if (TakeUnit(ref rest) is not { } unit || number * unit.TotalSeconds > Longest.TotalSeconds)
            {
                return false;
            }

            duration += number * unit;
        }

        return text.Length > 0 && duration <= Longest;
    }

    private static TimeSpan? TakeUnit(ref ReadOnlySpan<char> rest)
    {
        int length = rest.StartsWith("ms") ? 2 : 1;
        TimeSpan? unit = rest[..length] switch
        {
            "ms" => TimeSpan.FromMilliseconds(1),
            "s" => TimeSpan.FromSeconds(1),
            "m" => TimeSpan.FromMinutes(1),
            "h" => TimeSpan.FromHours(1),
            _ => null,
        };
        rest = rest[length..];
        return unit;
    }
}
