using System.Text;

namespace McpProxyFast.Fuzz.Running;

/// <summary>The checked-in inputs and words of one target.</summary>
internal sealed record Corpus(IReadOnlyList<byte[]> Inputs, IReadOnlyList<byte[]> Words)
{
    /// <summary>Reads <c>Corpus/CORPUS/*</c>, in the order of their names, and <c>Dictionaries/DICTIONARY.dict</c>.</summary>
    public static Corpus Load(IFuzzTarget target)
    {
        string folder = Path.Combine(AppContext.BaseDirectory, "Corpus", target.Corpus);
        string dictionary = Path.Combine(AppContext.BaseDirectory, "Dictionaries", $"{target.Dictionary}.dict");
        return new Corpus(
            [.. Directory.GetFiles(folder).Order(StringComparer.Ordinal).Select(File.ReadAllBytes)],
            [.. File.ReadLines(dictionary).Where(line => line.StartsWith('"')).Select(line => Unescape(line[1..line.LastIndexOf('"')]))]);
    }

    /// <summary>The form of AFL++ and libFuzzer: <c>\xHH</c> stands for a byte.</summary>
    private static byte[] Unescape(string word)
    {
        var bytes = new List<byte>();
        for (int i = 0; i < word.Length; i++)
        {
            bool isEscape = word[i] == '\\' && i + 3 < word.Length && word[i + 1] == 'x';
            bytes.AddRange(isEscape ? Convert.FromHexString(word.AsSpan(i + 2, 2)) : Encoding.Latin1.GetBytes([word[i]]));
            i += isEscape ? 3 : 0;
        }

        return [.. bytes];
    }
}
