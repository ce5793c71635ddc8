namespace McpProxyFast.Fuzz.Oracles;

/// <summary>The places where an input is cut.</summary>
internal static class Cuts
{
    private const int AllUpTo = 192;
    private const int FurtherCuts = 64;

    /// <summary>Every index of a short input; of a long one the first of them, and some evenly spread over the rest.</summary>
    public static IEnumerable<int> Of(int length)
    {
        for (int i = 1; i < Math.Min(length, AllUpTo); i++)
        {
            yield return i;
        }

        int stride = Math.Max(1, (length - AllUpTo) / FurtherCuts);
        for (int i = AllUpTo; i < length; i += stride)
        {
            yield return i;
        }
    }
}
