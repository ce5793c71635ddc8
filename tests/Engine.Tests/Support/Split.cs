using System.Text;

namespace McpProxyFast.Engine.Tests.Support;

/// <summary>Cuts an input in every way that a network might: a parser must give the same result for all of them.</summary>
internal static class Split
{
    /// <summary>The input whole, cut at every index, and one byte at a time.</summary>
    /// <param name="wire">The input, one char a byte.</param>
    public static IEnumerable<byte[][]> Everywhere(string wire)
    {
        byte[] bytes = Encoding.Latin1.GetBytes(wire);
        yield return [bytes];
        for (int cut = 1; cut < bytes.Length; cut++)
        {
            yield return [bytes[..cut], bytes[cut..]];
        }

        yield return [.. bytes.Select(single => new[] { single })];
    }
}
