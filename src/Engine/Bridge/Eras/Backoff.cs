namespace McpProxyFast.Bridge.Eras;

/// <summary>Computes how long to wait before something is tried again: longer after each failure, up to a bound.</summary>
internal static class Backoff
{
    /// <summary>The maximum number of times that the wait is doubled. After that it stays the same.</summary>
    private const int MaxDoublings = 6;

    /// <summary>Returns the wait before the next try.</summary>
    /// <param name="first">The wait after the first failure.</param>
    /// <param name="failures">The number of failures in a row, at least one.</param>
    public static TimeSpan After(TimeSpan first, int failures) => first * (1 << Math.Clamp(failures - 1, 0, MaxDoublings));
}
