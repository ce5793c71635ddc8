namespace McpProxyFast.EndToEnd.Wire;

/// <summary>The content of large bodies: a fixed block, repeated, so that every byte can be checked cheaply.</summary>
internal static class Pattern
{
    private const int BlockLength = 64 * 1024;

    private static readonly byte[] Block = NewBlock();

    public static void Fill(Span<byte> body)
    {
        for (; body.Length > BlockLength; body = body[BlockLength..])
        {
            Block.CopyTo(body);
        }

        Block.AsSpan(0, body.Length).CopyTo(body);
    }

    /// <summary>Says whether <paramref name="part"/> is what stands at <paramref name="position"/> of such a body.</summary>
    public static bool Matches(ReadOnlySpan<byte> part, long position)
    {
        while (!part.IsEmpty)
        {
            ReadOnlySpan<byte> expected = Block.AsSpan((int)(position % BlockLength));
            int length = Math.Min(part.Length, expected.Length);
            if (!part[..length].SequenceEqual(expected[..length]))
            {
                return false;
            }

            part = part[length..];
            position += length;
        }

        return true;
    }

    private static byte[] NewBlock()
    {
        var block = new byte[BlockLength];
        for (int i = 0; i < block.Length; i++)
        {
            block[i] = (byte)('a' + ((i * 31) % 26));
        }

        return block;
    }
}
