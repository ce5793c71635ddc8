namespace McpProxyFast.Bridge.Eras;

/// <summary>How long to wait before something is tried again: longer each time, up to a bound.</summary>
internal static class Backoff
{
    /// <summary>Doublings after which it stays as it is.</summary>
    private const int MaxDoublings = 6;

    /// <summary>The wait before a try.</summary>
    /// <param name="first">The wait before the first try after a failure.</param>
    /// <param name="failures">How many there have been in a row, at least one.</param>
    public static TimeSpan After(TimeSpan first, int failures) => first * (1 << Math.Clamp(failures - 1, 0, MaxDoublings));
}
