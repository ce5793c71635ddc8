namespace McpProxyFast.OAuth.Grants;

/// <summary>Finds parts of secrets in a text. For example, a server's message may show only the beginning of a token.</summary>
/// <remarks>
/// Each run of <see cref="MinLength"/> bytes in the text and in the secrets is converted to one number, and the numbers are compared. So the time grows
/// linearly with the lengths of the text and the secrets. The memory grows with the length of the text only.
/// </remarks>
internal static class SecretParts
{
    /// <summary>
    /// The length in bytes of the shortest part that is found. In a random token 12 characters are 72 bits, which do not occur in a text by chance. A shorter
    /// part could be a word that the text and the secret have in common; removing it would make messages unreadable.
    /// </summary>
    public const int MinLength = 12;

    private static readonly UInt128 OneRun = (UInt128.One << (8 * MinLength)) - 1;

    /// <summary>Marks each byte of a text that belongs to a part of a secret.</summary>
    /// <param name="text">The text.</param>
    /// <param name="secrets">The secrets.</param>
    /// <param name="isPart">One entry for each byte of the text. Entries that are true already stay true.</param>
    public static void Mark(byte[] text, IEnumerable<byte[]> secrets, bool[] isPart)
    {
        // A secret may itself contain a percent sign or a plus, so the text is also searched as it is.
        Spelling[] spellings = [Spelling.Literal(text), Spelling.Decoded(text, plusIsBlank: false), Spelling.Decoded(text, plusIsBlank: true)];
        HashSet<UInt128> runs = [.. spellings.SelectMany(spelling => RunsOf(spelling.Bytes))];
        HashSet<UInt128> found = [.. secrets.SelectMany(RunsOf).Where(runs.Contains)];
        if (found.Count == 0)
        {
            return;
        }

        foreach (Spelling spelling in spellings)
        {
            int start = 0;
            foreach (UInt128 run in RunsOf(spelling.Bytes))
            {
                if (found.Contains(run))
                {
                    isPart.AsSpan(spelling.Starts[start]..spelling.Starts[start + MinLength]).Fill(true);
                }

                start++;
            }
        }
    }

    /// <summary>Returns each run of <see cref="MinLength"/> bytes as a number, from the first to the last.</summary>
    private static IEnumerable<UInt128> RunsOf(byte[] bytes)
    {
        UInt128 run = 0;
        for (int at = 0; at < bytes.Length; at++)
        {
            run = ((run << 8) | bytes[at]) & OneRun;
            if (at >= MinLength - 1)
            {
                yield return run;
            }
        }
    }

    /// <summary>A text, decoded in one of the possible ways.</summary>
    /// <param name="Bytes">The bytes after decoding.</param>
    /// <param name="Starts">For each decoded byte, the index in the text at which it begins; and as the last element, the length of the text.</param>
    private readonly record struct Spelling(byte[] Bytes, int[] Starts)
    {
        public static Spelling Literal(byte[] text) => new(text, [.. Enumerable.Range(0, text.Length + 1)]);

        public static Spelling Decoded(byte[] text, bool plusIsBlank)
        {
            var bytes = new List<byte>(text.Length);
            var starts = new List<int>(text.Length + 1);
            for (int at = 0; at < text.Length;)
            {
                starts.Add(at);
                int encoded = PercentCode.Decode(text.AsSpan(at), out int length);
                bytes.Add(encoded >= 0 ? (byte)encoded : plusIsBlank && text[at] == '+' ? (byte)' ' : text[at]);
                at += encoded >= 0 ? length : 1;
            }

            starts.Add(text.Length);
            return new Spelling([.. bytes], [.. starts]);
        }
    }
}
