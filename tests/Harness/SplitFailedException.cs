namespace McpProxyFast.Harness;

/// <summary>A check failed for one of the ways in which its input can be cut.</summary>
/// <param name="split">The way.</param>
/// <param name="wire">The input.</param>
/// <param name="failure">What the check threw.</param>
public sealed class SplitFailedException(Split split, string wire, Exception failure)
    : Exception($"With the input {split.Name}: {failure.Message}\nInput: {wire.Replace("\r", "\\r", StringComparison.Ordinal).Replace("\n", "\\n", StringComparison.Ordinal)}", failure)
{
    public Split Split => split;
}
