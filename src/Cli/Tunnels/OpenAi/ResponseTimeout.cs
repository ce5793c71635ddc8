using System.Globalization;

namespace McpProxyFast.Cli.Tunnels.OpenAi;

/// <summary>Reads the <c>response_timeout</c> of a command: digits and one unit, as in <c>30s</c>.</summary>
internal static class ResponseTimeout
{
    /// <summary>The longest timer that the runtime allows, rounded down. A longer timeout counts as no deadline.</summary>
    private static readonly TimeSpan Longest = TimeSpan.FromDays(40);

    private static readonly (string Unit, long Nanoseconds)[] Units =
    [
        ("ns", 1), ("us", 1_000), ("ms", 1_000_000), ("s", 1_000_000_000), ("m", 60_000_000_000), ("h", 3_600_000_000_000),
    ];

    /// <summary>Parses a timeout. Returns null, which means no deadline, if it is missing or malformed.</summary>
    public static TimeSpan? Read(string? text)
    {
        int digits = text is null ? 0 : text.AsSpan().IndexOfAnyExceptInRange('0', '9');
        if (digits <= 0 || Array.Find(Units, unit => unit.Unit == text![digits..]) is not { Unit: not null } unit)
        {
            return null;
        }

        // A value of more nanoseconds than fit into a long counts as malformed, as in the vendor's client.
        return long.TryParse(text.AsSpan(0, digits), NumberStyles.None, CultureInfo.InvariantCulture, out long number)
            && number <= long.MaxValue / unit.Nanoseconds
            && TimeSpan.FromTicks(number * unit.Nanoseconds / TimeSpan.NanosecondsPerTick) is var time && time <= Longest
            ? time
            : null;
    }
}
