using System.Diagnostics;

namespace McpProxyFast.EndToEnd.Wire;

/// <summary>Nanoseconds of the machine's monotonic clock, which all processes of a run share.</summary>
internal static class Clock
{
    public const long Second = 1_000_000_000;

    private static readonly long NanosecondsPerTick = Second / Stopwatch.Frequency;

    public static long Now => Stopwatch.GetTimestamp() * NanosecondsPerTick;

    public static long FromSeconds(double seconds) => (long)(seconds * Second);
}
