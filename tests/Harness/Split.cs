using System.Text;

namespace McpProxyFast.Harness;

/// <summary>One of the ways in which a network might cut an input: a parser must give the same result for all of them.</summary>
/// <param name="Name">Says where it is cut: <c>cut after byte 17</c>, <c>one byte at a time</c>.</param>
/// <param name="Pieces">The input, in pieces.</param>
public sealed record Split(string Name, byte[][] Pieces)
{
    /// <summary>The input whole, cut at every index, and one byte at a time.</summary>
    /// <param name="wire">The input, one char a byte.</param>
    public static IEnumerable<Split> Everywhere(string wire)
    {
        byte[] bytes = Encoding.Latin1.GetBytes(wire);
        yield return new Split("whole", [bytes]);
        for (int cut = 1; cut < bytes.Length; cut++)
        {
            yield return new Split($"cut after byte {cut} of {bytes.Length}", [bytes[..cut], bytes[cut..]]);
        }

        yield return new Split("one byte at a time", [.. bytes.Select(single => new[] { single })]);
    }

    /// <summary>Runs a check for every split. One that fails says for which.</summary>
    /// <param name="wire">The input, one char a byte.</param>
    /// <param name="check">Gets the pieces.</param>
    /// <exception cref="SplitFailedException">The first failure.</exception>
    public static void Everywhere(string wire, Action<byte[][]> check)
    {
        foreach (Split split in Everywhere(wire))
        {
            try
            {
                check(split.Pieces);
            }
            catch (Exception failure)
            {
                throw new SplitFailedException(split, wire, failure);
            }
        }
    }

    /// <summary>As <see cref="Everywhere(string, Action{byte[][]})"/>, for a check that waits.</summary>
    /// <exception cref="SplitFailedException">The first failure.</exception>
    public static async Task EverywhereAsync(string wire, Func<byte[][], Task> check)
    {
        foreach (Split split in Everywhere(wire))
        {
            try
            {
                await check(split.Pieces);
            }
            catch (Exception failure)
            {
                throw new SplitFailedException(split, wire, failure);
            }
        }
    }
}
