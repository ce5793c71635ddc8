namespace McpProxyFast.Harness;

/// <summary>A check failed for one of the ways in which its input can be cut.</summary>
/// <param name="split">The way.</param>
/// <param name="wire">The input.</param>
/// <param name="failure">What the check threw.</param>
public sealed class SplitFailedException(Split split, string wire, Exception failure)
    : Exception($"With the input {split.Name}: {failure.Message}\nInput: {Shown(wire)}", failure)
{
    public Split Split => split;

    private static string Shown(string wire) => wire.Replace("\r", "\\r", StringComparison.Ordinal).Replace("\n", "\\n", StringComparison.Ordinal);
}
