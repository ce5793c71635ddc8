namespace McpProxyFast.House.Tests;

/// <summary>How a keeper of the house fails: every breach on a line of its own, and what to do about it.</summary>
internal static class Keeper
{
    /// <param name="breaches">What was found, one sentence each.</param>
    /// <param name="remedy">What the reader should do.</param>
    public static void ExpectNone(IEnumerable<string> breaches, string remedy)
    {
        string[] found = [.. breaches.Distinct().Order(StringComparer.Ordinal)];
        Assert.True(found.Length == 0, $"{string.Join(Environment.NewLine, found)}{Environment.NewLine}{Environment.NewLine}What to do: {remedy}");
    }
}
